namespace Collab.Crdt;

/// <summary>What the root of a document can be.</summary>
public enum RootKind
{
    /// <summary>Nothing visible is in it, so nothing says what it is.</summary>
    Empty,

    /// <summary>A text.</summary>
    Text,

    /// <summary>An array.</summary>
    Array,

    /// <summary>A map.</summary>
    Map,

    /// <summary>An XML fragment.</summary>
    Xml,
}
