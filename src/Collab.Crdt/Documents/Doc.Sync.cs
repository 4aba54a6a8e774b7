namespace Collab.Crdt;

public sealed partial class Doc
{
    /// <summary>True when structs or deletes that were applied wait for others that have not come yet.</summary>
    public bool HasPending => !Pending.IsEmpty;

    /// <summary>True when structs wait for others that have not come yet.</summary>
    public bool HasPendingStructs => Pending.HasStructs;

    /// <summary>True when deletes wait for what they delete.</summary>
    public bool HasPendingDeletes => Pending.HasDeletes;

    /// <summary>The clients of which something must come before what waits can go on, each with the clock from which on it is missing.</summary>
    public IReadOnlyDictionary<ulong, uint> Missing => Pending.MissingFrom(Store);

    /// <summary>
    /// Applies an update in format v1. What refers to something that has not come yet waits for it. Applying the same again, or
    /// in another order, makes no difference.
    /// </summary>
    /// <param name="update">The update.</param>
    /// <param name="origin">Where it comes from; handlers and undo managers see it.</param>
    /// <exception cref="InvalidUpdateException">The bytes are not an update; the document is as it was.</exception>
    public void ApplyV1(ReadOnlySpan<byte> update, object? origin = null)
    {
        using var sections = new PooledList<UpdateSection>();
        var contents = UpdateValidator.Check(update, _limits, sections: sections);
        Apply(update, sections.Span, contents, origin);
    }

    /// <summary>Applies an update in format v2.</summary>
    /// <inheritdoc cref="ApplyV1"/>
    public void ApplyV2(ReadOnlySpan<byte> update, object? origin = null)
    {
        using var sections = new PooledList<UpdateSection>();
        var converted = UpdateV2.ToCheckedV1(update, _limits, sections, out var contents);
        Pending.IsFromV2 = true;
        Apply(converted, sections.Span, contents, origin);
    }

    /// <summary>For each client the clock up to which its insertions are known, encoded (see <see cref="StateVector"/>).</summary>
    public byte[] StateVectorV1()
    {
        CheckReadable();
        return StateEncoder.EncodeStateVector(Store);
    }

    /// <summary>
    /// All that a replica with <paramref name="stateVector"/> lacks, as an update in format v1, with every delete and with
    /// what is still waiting here.
    /// </summary>
    /// <param name="stateVector">What the other replica knows; empty for the whole document.</param>
    /// <exception cref="InvalidUpdateException">The bytes are not a state vector.</exception>
    public byte[] StateDiffV1(ReadOnlySpan<byte> stateVector = default) => EncodeState(stateVector, anyDialect: false);

    /// <summary>The same as <see cref="StateDiffV1"/> in format v2.</summary>
    /// <inheritdoc cref="StateDiffV1"/>
    public byte[] StateDiffV2(ReadOnlySpan<byte> stateVector = default)
    {
        CheckReadable();
        return Pending.IsEmpty
            ? UpdateV2.EncodeState(Store, stateVector.IsEmpty ? null : StateVector.Decode(stateVector))
            : UpdateV2.FromV1(EncodeState(stateVector, anyDialect: true));
    }

    private void Apply(ReadOnlySpan<byte> update, Span<UpdateSection> sections, UpdateContents contents, object? origin)
    {
        using var scope = Write(origin);
        var transaction = scope.Transaction;
        transaction.Local = false;
        Store.Reserve(contents);
        transaction.Deletes.Reserve(contents.DeletedStructs);
        Store.StepsLeft = _maxSteps;
        UpdateApplication.ApplyStructs(transaction, update, sections, Pending);
        var deletes = new DeleteSetReader(new Lib0Reader(update) { Position = contents.DeletesAt }, UpdateLimits.HighestClock);
        while (deletes.Next(out var range))
            Pending.Delete(transaction, range);
        if (!Pending.IsEmpty)
            Pending.Retry(transaction);
        Store.StepsLeft = long.MaxValue;
    }

    private byte[] EncodeState(ReadOnlySpan<byte> stateVector, bool anyDialect)
    {
        CheckReadable();
        var known = stateVector.IsEmpty ? null : StateVector.Decode(stateVector);
        var state = StateEncoder.EncodeState(Store, known, anyDialect);
        if (Pending.IsEmpty)
            return state;
        var (structs, deletes) = Pending.Encode();
        var updates = new List<ReadOnlyMemory<byte>> { state };
        if (deletes is not null)
            updates.Add(deletes);
        if (structs is not null)
            updates.Add(UpdateDiff.Diff(structs, stateVector.IsEmpty ? StateVector.Empty : stateVector, dialect: true));
        var merged = UpdateMerge.Merge(updates, join: false, dialect: true);
        // What came in format v2 waits with its values as Any, which format v1 does not have.
        return anyDialect || !Pending.IsFromV2 ? merged : UpdateV2.ToV1(UpdateV2.FromV1(merged), UpdateV2.Lenient, json: true);
    }
}
