namespace Collab.Crdt;

public sealed partial class Doc
{
    // What this engine has written itself may be as large as memory lets it.
    private static readonly UpdateLimits OwnLimits = new()
    {
        MaxBytes = int.MaxValue,
        MaxStructs = int.MaxValue,
        MaxDepth = int.MaxValue,
        MaxTypeDepth = int.MaxValue,
    };

    /// <summary>Names the state in which the document is now, to come back to it later. See <see cref="Crdt.Snapshot"/>.</summary>
    public Snapshot Snapshot() => Crdt.Snapshot.Of(this);

    /// <summary>Applies an update in the dialect (see <see cref="UpdateV2"/>) that this engine has written itself.</summary>
    internal void ApplyOwn(ReadOnlySpan<byte> update, object? origin)
    {
        using var sections = new PooledList<UpdateSection>();
        var deletes = UpdateValidator.Check(update, OwnLimits, dialect: true, sections);
        Pending.IsFromV2 = true;
        Apply(update, sections.Span, deletes, origin);
    }
}
