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

    /// <summary>The length of a collected run.</summary>
    void WriteLength(uint length);

    /// <summary>What stood left of a struct at its insertion.</summary>
    void WriteLeftId(ulong client, uint clock);

    /// <summary>What stood right of a struct at its insertion.</summary>
    void WriteRightId(ulong client, uint clock);

    /// <summary>The parent of a struct, when it is a root.</summary>
    void WriteRoot(string? name);

    /// <summary>The parent of a struct, when it is a type within the document.</summary>
    void WriteParentId(ulong client, uint clock);

    /// <summary>The key of a struct.</summary>
    void WriteString(string text);

    /// <summary>The content of a block from unit <paramref name="offset"/> on.</summary>
    void WriteContent(BlockStore store, in Block block, uint offset);

    /// <summary>The deleted ranges of one client, in order and apart from one another.</summary>
    void WriteDeletes(ulong client, ReadOnlySpan<ClientRange> ranges);
}
