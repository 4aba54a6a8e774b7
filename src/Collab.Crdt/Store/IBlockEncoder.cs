namespace Collab.Crdt;

/// <summary>
/// Takes what a document holds, part by part, and puts each part where its format has it (yjs <c>UpdateEncoderV1</c>,
/// <c>UpdateEncoderV2</c>). Structs implement it, so that the walk over the blocks is compiled for each format.
/// </summary>
internal interface IBlockEncoder
{
    /// <summary>How many sections, or clients of the delete set, follow.</summary>
    void WriteCount(int count);

    /// <summary>Begins the section of a client, whose first struct is at <paramref name="clock"/>.</summary>
    void BeginSection(int structs, ulong client, uint clock);

    /// <summary>The first byte of a struct: its kind and the flags of <see cref="StructHeader"/>.</summary>
    void WriteInfo(StructKind kind, byte flags);

    /// <summary>How many units a collected run or a content has, or how many values follow.</summary>
    void WriteLength(uint length);

    /// <summary>What stood left of a struct at its insertion.</summary>
    void WriteLeftId(ulong client, uint clock);

    /// <summary>What stood right of a struct at its insertion.</summary>
    void WriteRightId(ulong client, uint clock);

    /// <summary>The parent of a struct, when it is a root.</summary>
    void WriteRoot(string? name);

    /// <summary>The parent of a struct, when it is a type within the document.</summary>
    void WriteParentId(ulong client, uint clock);

    /// <summary>Text, a key, or a subdocument's guid.</summary>
    void WriteString(ReadOnlySpan<char> text);

    /// <summary>Text that is ASCII, as its bytes.</summary>
    void WriteAscii(ReadOnlySpan<byte> text);

    /// <summary>A plain value.</summary>
    void WriteAny(in Any value);

    /// <summary>A binary value.</summary>
    void WriteBytes(ReadOnlySpan<byte> bytes);

    /// <summary>The value of an embed.</summary>
    void WriteEmbed(in Any value);

    /// <summary>The key of a mark and its value.</summary>
    void WriteFormat(FormatMark mark);

    /// <summary>The kind of a shared type.</summary>
    void WriteType(TypeKind kind);

    /// <summary>The name of an XML element or hook.</summary>
    void WriteName(ReadOnlySpan<char> name);

    /// <summary>The deleted ranges of one client, in order and apart from one another.</summary>
    void WriteDeletes(ulong client, ReadOnlySpan<ClientRange> ranges);
}
