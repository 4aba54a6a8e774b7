namespace Collab.Crdt;

/// <summary>The structs of one client in an update, as far as they are still to be applied.</summary>
internal struct UpdateSection
{
    /// <summary>Whose structs these are.</summary>
    public ulong ClientId;

    /// <summary>The same as an index into <see cref="BlockStore.Clients"/>.</summary>
    public int Client;

    /// <summary>The clock of the next struct, and how many there are from it on.</summary>
    public uint Clock;

    /// <inheritdoc cref="Clock"/>
    public int Left;

    /// <summary>Where the next struct begins in the update, and where the section ends.</summary>
    public int Position, End;

    /// <summary>True while it waits for another section of the same update.</summary>
    public bool IsWaiting;
}

/// <summary>What the check of an update has found for whoever applies it.</summary>
/// <param name="DeletesAt">Where the delete set begins, in bytes.</param>
/// <param name="Structs">How many structs there are.</param>
/// <param name="DeletedStructs">How many of them come deleted.</param>
/// <param name="NarrowUnits">How many units of text there are that is ASCII.</param>
internal readonly record struct UpdateContents(int DeletesAt, int Structs, int DeletedStructs, int NarrowUnits);
