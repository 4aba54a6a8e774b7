namespace Collab.Crdt;

/// <summary>What is true of a block beside its kind.</summary>
[Flags]
internal enum BlockFlags : byte
{
    None = 0,

    /// <summary>Its content is not visible any more.</summary>
    Deleted = 1,

    /// <summary>Must not be collected, because an undo may bring it back.</summary>
    Keep = 2,

    /// <summary>Its text is held as UTF-16; otherwise it is ASCII.</summary>
    Wide = 4,

    /// <summary>An undo has inserted it again; <see cref="BlockStore.Redone"/> tells as what.</summary>
    Redone = 8,
}

/// <summary>
/// A run of units that one client inserted together (yjs <c>Item</c>, or <c>GC</c> when <see cref="Kind"/> says so).
/// Blocks live in the pages of a <see cref="BlockStore"/> and name one another by handle, so that a document of any size is
/// a handful of objects for the garbage collector. Handle 0 is none.
/// </summary>
internal struct Block
{
    /// <summary>The value of <see cref="OriginClient"/> and <see cref="RightOriginClient"/> where there is no origin.</summary>
    public const int NoClient = -1;

    /// <summary>The clock of the first unit, and how many units there are.</summary>
    public uint Clock, Length;

    /// <summary>Who inserted it, as an index into <see cref="BlockStore.Clients"/>.</summary>
    public int Client;

    /// <summary>The unit that stood left of it when it was inserted.</summary>
    public int OriginClient;

    /// <inheritdoc cref="OriginClient"/>
    public uint OriginClock;

    /// <summary>The unit that stood right of it when it was inserted.</summary>
    public int RightOriginClient;

    /// <inheritdoc cref="RightOriginClient"/>
    public uint RightOriginClock;

    /// <summary>Its neighbours in the list, or among the values of its key. A free block has the next free one as its right.</summary>
    public int Left, Right;

    /// <summary>The shared type that holds it, as an index into <see cref="BlockStore.Branches"/>; 0 for a collected block.</summary>
    public int Parent;

    /// <summary>Where its content is: an offset into the heap of its kind, or the index of a branch.</summary>
    public int Content;

    /// <summary>The leaf of its type's position index that holds it; 0 without an index.</summary>
    public int Leaf;

    /// <summary>The key under which it stands, as an index into <see cref="BlockStore.Keys"/>; 0 in a list.</summary>
    public int Key;

    public StructKind Kind;

    public BlockFlags Flags;

    public readonly bool IsDeleted => (Flags & BlockFlags.Deleted) != 0;

    public readonly bool IsKept => (Flags & BlockFlags.Keep) != 0;

    public readonly bool IsWide => (Flags & BlockFlags.Wide) != 0;

    public readonly bool IsRedone => (Flags & BlockFlags.Redone) != 0;

    public readonly bool IsGc => Kind == StructKind.Gc;

    /// <summary>True when its units count for the length of a list.</summary>
    public readonly bool IsCountable => Kind is not (StructKind.Format or StructKind.Deleted or StructKind.Gc);

    /// <summary>The units that an index into the list counts.</summary>
    public readonly uint VisibleLength => IsDeleted || !IsCountable ? 0 : Length;

    public readonly bool HasOrigin => OriginClient != NoClient;

    public readonly bool HasRightOrigin => RightOriginClient != NoClient;

    public readonly uint NextClock => Clock + Length;

    public readonly BlockId Id => new(Client, Clock);

    public readonly BlockId LastId => new(Client, Clock + Length - 1);

    public readonly BlockId Origin => new(OriginClient, OriginClock);

    public readonly BlockId RightOrigin => new(RightOriginClient, RightOriginClock);

    public readonly bool Has(BlockFlags flag) => (Flags & flag) != 0;
}

/// <summary>Names one unit within a document: the client as an index into <see cref="BlockStore.Clients"/>.</summary>
internal readonly record struct BlockId(int Client, uint Clock)
{
    public static BlockId None => new(Block.NoClient, 0);

    public bool IsNone => Client == Block.NoClient;
}
