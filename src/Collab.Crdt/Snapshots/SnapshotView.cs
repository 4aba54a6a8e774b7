namespace Collab.Crdt;

/// <summary>
/// Says of the units of one store whether they are visible at a snapshot, or now. It only looks: where yjs splits blocks at the
/// borders of a snapshot, here a block is read piece by piece.
/// </summary>
internal sealed class SnapshotView
{
    private readonly record struct Client(uint Until, int FirstRange, int EndOfRanges);

    private readonly Snapshot? _snapshot;

    // By the index of the client in the store.
    private readonly Client[] _clients;

    /// <summary>What is visible at <paramref name="snapshot"/>; now when that is null.</summary>
    public SnapshotView(BlockStore store, Snapshot? snapshot)
    {
        _snapshot = snapshot;
        _clients = new Client[store.Clients.Count];
        if (snapshot is null)
            return;
        foreach (var (id, until) in snapshot.Clocks)
        {
            if (store.TryGetClient(id, out var index))
                _clients[index] = new Client(until, 0, 0);
        }
        var deletes = snapshot.Deletes;
        for (int first = 0, next; first < deletes.Length; first = next)
        {
            next = DeleteSets.EndOfClient(deletes, first);
            if (store.TryGetClient(deletes[first].Client, out var index))
                _clients[index] = _clients[index] with { FirstRange = first, EndOfRanges = next };
        }
    }

    /// <summary>True when the snapshot knows of a unit, deleted or not.</summary>
    public bool Knows(int client, uint clock) => _snapshot is null || clock < _clients[client].Until;

    /// <summary>True when the unit of a block with clock <paramref name="clock"/> is visible.</summary>
    public bool Shows(in Block block, uint clock) => Shows(block, clock, out _);

    /// <inheritdoc cref="Shows(in Block, uint)"/>
    /// <param name="block">The block.</param>
    /// <param name="clock">The clock of one of its units.</param>
    /// <param name="end">Where the snapshot has its next border: the units up to there are as this one.</param>
    public bool Shows(in Block block, uint clock, out uint end)
    {
        end = block.NextClock;
        if (_snapshot is null)
            return !block.IsDeleted;
        ref readonly var client = ref _clients[block.Client];
        var ranges = _snapshot.Deletes;
        int low = client.FirstRange, high = client.EndOfRanges;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (ranges[middle].Clock <= clock)
                low = middle + 1;
            else
                high = middle;
        }
        var isDeleted = low > client.FirstRange && clock < ranges[low - 1].NextClock;
        if (isDeleted)
            end = (uint)Math.Min(end, ranges[low - 1].NextClock);
        else if (low < client.EndOfRanges)
            end = Math.Min(end, ranges[low].Clock);
        if (clock >= client.Until)
            return false;
        end = Math.Min(end, client.Until);
        return !isDeleted;
    }
}
