namespace Collab.Crdt;

/// <summary>Walks over the blocks of ranges (yjs <c>iterateStructs</c>).</summary>
internal static class BlockRanges
{
    /// <summary>
    /// Calls back with each block of a range, as far as the document knows it. Blocks that reach over an end of the range are
    /// split there.
    /// </summary>
    public static void ForEach(Transaction transaction, in ClientRange range, Action<int> action)
    {
        var store = transaction.Store;
        var client = store.Clients[range.Client];
        var end = Math.Min(range.NextClock, client.State);
        if (range.Clock >= end)
            return;
        store.FindStart(transaction, new BlockId(range.Client, range.Clock));
        for (var clock = range.Clock; clock < end;)
        {
            var handle = client.Find(clock);
            if (store[handle].NextClock > end && !store[handle].IsGc)
                store.Split(transaction, handle, end - store[handle].Clock);
            clock = store[handle].NextClock;
            action(handle);
        }
    }

    /// <summary>The same for all ranges of a set.</summary>
    public static void ForEach(Transaction transaction, RangeSet ranges, Action<int> action)
    {
        foreach (var range in ranges.InOrderOfClients())
            ForEach(transaction, range, action);
    }
}
