namespace Collab.Crdt;

/// <summary>The kinds of structs, by the low five bits of a struct's first byte.</summary>
internal enum StructKind : byte
{
    Gc = 0,
    Deleted = 1,
    Json = 2,
    Binary = 3,
    String = 4,
    Embed = 5,
    Format = 6,
    Type = 7,
    Any = 8,
    Doc = 9,
    Skip = 10,

    // Only inside the engine (see UpdateV2): an embed and a format whose value is an Any and not a JSON text.
    EmbedAny = 11,
    FormatAny = 12,
}

/// <summary>Names one inserted unit: who inserted it, and as which of its insertions.</summary>
internal readonly record struct StructId(ulong Client, uint Clock)
{
    public static StructId Read(ref Lib0Reader reader, uint maxClock = UpdateLimits.HighestClock) =>
        new(reader.ReadVarUint(), reader.ReadClock(maxClock));
}

/// <summary>
/// Where a struct stands in its update, and what its head says. A struct is
/// <c>info (byte), [origin], [right origin], [parent, [key]], content</c>; the parent is written only when both origins are absent.
/// </summary>
internal struct StructHeader
{
    public const byte HasOrigin = 0x80, HasRightOrigin = 0x40, HasKey = 0x20, KindBits = 0x1F;

    /// <summary>The first byte: the kind and the three flags above.</summary>
    public byte Info;

    /// <summary>The clock of its first unit, and how many units it has.</summary>
    public uint Clock, Length;

    /// <summary>Offsets in the update: the info byte, the content, and the byte after it.</summary>
    public int Start, Content, End;

    /// <summary>Where the id of the shared type that holds it stands; 0 when that is a root or is inherited from an origin.</summary>
    public int ParentOffset;

    public readonly StructKind Kind => (StructKind)(Info & KindBits);

    public readonly ulong NextClock => (ulong)Clock + Length;

    public readonly bool Has(byte flag) => (Info & flag) != 0;

    /// <summary>What stood left of it at its insertion; only under <see cref="HasOrigin"/>.</summary>
    public readonly StructId Origin(ReadOnlySpan<byte> update)
    {
        var reader = new Lib0Reader(update) { Position = Start + 1 };
        return StructId.Read(ref reader);
    }

    /// <summary>The bytes of the id of what stood right of it at its insertion; empty when nothing did.</summary>
    public readonly ReadOnlySpan<byte> RightOrigin(ReadOnlySpan<byte> update)
    {
        if (!Has(HasRightOrigin))
            return [];
        var reader = new Lib0Reader(update) { Position = Start + 1 };
        if (Has(HasOrigin))
            StructId.Read(ref reader);
        return update[reader.Position..Content];
    }

    /// <summary>
    /// The info byte as Yjs' algebra writes it: a collected run has no flags, and the key flag stays only where a key
    /// follows (documents set it beside origins too, where it says nothing).
    /// </summary>
    public static byte Canonical(byte info) =>
        (info & KindBits) == (byte)StructKind.Gc ? (byte)0
        : (info & (HasOrigin | HasRightOrigin)) != 0 ? (byte)(info & ~HasKey)
        : info;
}
