using System.Diagnostics.CodeAnalysis;

namespace Collab.Crdt;

/// <summary>What an <see cref="Any"/> holds.</summary>
[SuppressMessage("Naming", "CA1720", Justification = "These are the names that Yjs and JSON have for them.")]
public enum AnyKind
{
    /// <summary>JavaScript's <c>undefined</c>; the default of <see cref="Any"/>.</summary>
    Undefined,

    /// <summary>JSON's <c>null</c>.</summary>
    Null,

    /// <summary><c>true</c> or <c>false</c>.</summary>
    Boolean,

    /// <summary>A number as JavaScript has it: a 64-bit float.</summary>
    Number,

    /// <summary>A 64-bit integer (JavaScript's <c>BigInt</c>).</summary>
    BigInt,

    /// <summary>Text.</summary>
    String,

    /// <summary>Bytes (JavaScript's <c>Uint8Array</c>).</summary>
    Bytes,

    /// <summary>A list of plain values.</summary>
    Array,

    /// <summary>Plain values by name.</summary>
    Object,

    /// <summary>A shared type that lives in the document, or is to be inserted into it.</summary>
    Type,

    /// <summary>A subdocument.</summary>
    Doc,
}
