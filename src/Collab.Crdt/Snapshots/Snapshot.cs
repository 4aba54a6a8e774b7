namespace Collab.Crdt;

/// <summary>
/// Names a state that a document was in: how far each client had come, and what was deleted by then (yjs <c>Snapshot</c>). It
/// holds no content; that is read from the document, which therefore must keep what is deleted (<see cref="DocOptions.Gc"/> off).
/// </summary>
/// <remarks>Immutable and safe for concurrent use.</remarks>
public sealed partial class Snapshot : IEquatable<Snapshot>
{
    /// <summary>The origin of the transaction that fills a restored document; as in yjs.</summary>
    public const string RestoreOrigin = "snapshot";

    private readonly Dictionary<ulong, uint> _clocks;

    // By client, descending, and clock; those that touch are one.
    private readonly DeletedRange[] _deletes;

    private Snapshot(Dictionary<ulong, uint> clocks, DeletedRange[] deletes)
    {
        _clocks = clocks;
        _deletes = deletes;
    }

    /// <summary>The state of a document in which nothing has happened.</summary>
    public static Snapshot Empty { get; } = new([], []);

    /// <summary>How far each client had come: its next clock by its id.</summary>
    public IReadOnlyDictionary<ulong, uint> Clocks => _clocks;

    internal ReadOnlySpan<DeletedRange> Deletes => _deletes;

    /// <summary>The state in which a document is now. What waits there for something missing is no part of it.</summary>
    /// <param name="doc">The document.</param>
    public static Snapshot Of(Doc doc)
    {
        ArgumentNullException.ThrowIfNull(doc);
        doc.CheckReadable();
        var store = doc.Store;
        var clocks = new Dictionary<ulong, uint>(store.Clients.Count);
        foreach (var client in store.Clients)
        {
            if (client.State > 0)
                clocks.Add(client.Id, client.State);
        }
        var deleted = store.AllDeletes();
        var deletes = new DeletedRange[deleted.Length];
        for (var i = 0; i < deletes.Length; i++)
            deletes[i] = new DeletedRange(store.Clients[deleted[i].Client].Id, deleted[i].Clock, deleted[i].Length);
        return new Snapshot(clocks, Normalized(deletes));
    }

    /// <summary>True when a document in this state knows all that an update of format v1 says.</summary>
    /// <param name="update">The update.</param>
    /// <exception cref="InvalidUpdateException">The bytes are not an update.</exception>
    public bool ContainsUpdateV1(ReadOnlySpan<byte> update) => Contains(update, dialect: false);

    /// <summary>True when a document in this state knows all that an update of format v2 says.</summary>
    /// <inheritdoc cref="ContainsUpdateV1"/>
    public bool ContainsUpdateV2(ReadOnlySpan<byte> update) =>
        Contains(UpdateV2.ToV1(update, UpdateV2.Lenient, json: false), dialect: true);

    /// <summary>A document as it was in this state, with all that had happened until then.</summary>
    /// <param name="original">The document that was in it; it is only read.</param>
    /// <param name="options">How the new document is to be; the defaults when null.</param>
    /// <exception cref="InvalidOperationException">
    /// The original does not keep what is deleted (it needs <see cref="DocOptions.Gc"/> off), or it has never been in this state.
    /// </exception>
    public Doc ToDoc(Doc original, DocOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(original);
        original.CheckReadable();
        if (original.Gc)
        {
            throw new InvalidOperationException(
                "The document drops the content of what is deleted, so that a state before cannot be restored. Make it with Gc = false.");
        }
        foreach (var (client, clock) in _clocks)
        {
            if (clock > (original.Store.TryGetClient(client, out var index) ? original.Store.State(index) : 0))
                throw new InvalidOperationException("The snapshot knows more than the document. It is of another document, or of a later state.");
        }
        var doc = new Doc(options ?? new DocOptions());
        doc.ApplyOwn(StateEncoder.EncodeSnapshot(original.Store, this), RestoreOrigin);
        return doc;
    }

    /// <summary>Equal when they name the same state.</summary>
    /// <param name="other">Another snapshot.</param>
    public bool Equals(Snapshot? other) =>
        other is not null && _clocks.Count == other._clocks.Count && _deletes.AsSpan().SequenceEqual(other._deletes)
        && _clocks.All(entry => other._clocks.TryGetValue(entry.Key, out var clock) && clock == entry.Value);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Snapshot);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        // Dictionaries have no order, so the entries are added up.
        var clocks = 0;
        foreach (var (client, clock) in _clocks)
            clocks += HashCode.Combine(client, clock);
        return HashCode.Combine(clocks, _deletes.Length, _deletes.Length > 0 ? _deletes[^1] : default);
    }

    /// <summary>Equal when they name the same state.</summary>
    public static bool operator ==(Snapshot? left, Snapshot? right) => left?.Equals(right) ?? right is null;

    /// <summary>Different when they name different states.</summary>
    public static bool operator !=(Snapshot? left, Snapshot? right) => !(left == right);

    private bool Contains(ReadOnlySpan<byte> update, bool dialect)
    {
        var reader = new UpdateReader(update, dialect: dialect);
        StructHeader header = default;
        var isContained = true;
        // Read to the end in any case, so that bytes that are no update never pass for one.
        while (reader.NextSection())
        {
            var known = _clocks.GetValueOrDefault(reader.Client);
            while (reader.NextStruct(ref header))
                isContained &= header.Kind == StructKind.Skip || header.NextClock <= known;
        }
        var deletes = reader.DeleteSet();
        while (deletes.Next(out var range))
            isContained &= range.Length == 0 || IsDeleted(range);
        return isContained;
    }

    private bool IsDeleted(in DeletedRange range)
    {
        int low = 0, high = _deletes.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            ref readonly var candidate = ref _deletes[middle];
            if (candidate.Client > range.Client || (candidate.Client == range.Client && candidate.Clock <= range.Clock))
                low = middle + 1;
            else
                high = middle;
        }
        return low > 0 && _deletes[low - 1] is var found && found.Client == range.Client && found.NextClock >= range.NextClock;
    }

    private static DeletedRange[] Normalized(Span<DeletedRange> ranges) => ranges[..DeleteSets.MergeInPlace(ranges)].ToArray();
}
