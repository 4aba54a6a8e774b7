namespace Collab.Crdt;

/// <summary>How a piece of a merged update comes to its bytes.</summary>
internal enum PieceKind : byte
{
    /// <summary>A struct as it stands in its update.</summary>
    Copy,

    /// <summary>A struct without its first units, because another update has brought them.</summary>
    Cut,

    /// <summary>A collected run.</summary>
    Gc,

    /// <summary>A gap: clocks that no update has brought.</summary>
    Skip,
}

/// <summary>One struct of a merged update, planned before anything is written, since its section's count comes first.</summary>
internal struct Piece
{
    public PieceKind Kind;

    /// <summary>True when it is written as part of the piece before it.</summary>
    public bool JoinsPrevious;

    /// <summary>Which update it comes from, and which of all structs read it is.</summary>
    public int Update, Struct;

    /// <summary>Its clock and length, and how many units of the struct are cut off before it.</summary>
    public uint Clock, Length, Offset;

    public readonly ulong NextClock => (ulong)Clock + Length;
}
