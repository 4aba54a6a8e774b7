namespace Collab.Crdt;

/// <summary>
/// What happens at the end of a transaction, in the order of yjs' <c>cleanupTransactions</c>: observers, formatting clean-up,
/// collection of what was deleted, merging of neighbours, updates, subdocuments.
/// </summary>
internal static class TransactionEnd
{
    public static void Run(Transaction transaction, ref List<Exception>? failures)
    {
        var doc = transaction.Doc;
        var inserted = transaction.Inserted;
        for (var i = 0; i < inserted.Count; i++)
            inserted[i] = inserted[i] with { After = transaction.Store.State(inserted[i].Client) };

        Observation.Call(transaction, ref failures);
        doc.AfterTransactionHandlers.Invoke(transaction, ref failures);
        transaction.IsObservable = false;
        if (transaction.NeedsFormattingCleanup && doc.CleanFormats)
            TextCleanup.AfterTransaction(transaction);

        Tidy(transaction);
        if (!transaction.Local && doc.TryGetOwnClient(out var own) && transaction.Inserted.Exists(change => change.Client == own))
            doc.TakeNewClientId();
        EmitUpdates(transaction, ref failures);
        if (transaction.SubDocs is { IsEmpty: false } subDocs)
            doc.ApplySubDocChanges(transaction, subDocs, ref failures);
    }

    /// <summary>Collects what was deleted and joins neighbours that have become one run.</summary>
    private static void Tidy(Transaction transaction)
    {
        var store = transaction.Store;
        var deletes = transaction.Deletes.Sorted();
        if (transaction.Doc.Gc && transaction.HasContentToCollect)
        {
            foreach (ref readonly var range in deletes)
                Collection.Collect(store, range);
        }
        for (var i = deletes.Length - 1; i >= 0; i--)
        {
            // What was inserted in this transaction is looked at in any case.
            if (deletes[i].Clock < transaction.Before(deletes[i].Client))
                MergeRange(store, deletes[i]);
        }

        foreach (var (clientIndex, before, _) in transaction.Inserted)
        {
            var client = store.Clients[clientIndex];
            var cursor = client.Last;
            // The block before the first new one may merge with it, never with what is left of itself.
            while (!ClientBlocks.IsFirst(cursor) && store[client[cursor]].NextClock > before)
            {
                client.MergeAndStepLeft(store, ref cursor);
            }
        }
        for (var i = transaction.ToMerge.Count - 1; i >= 0; i--)
        {
            var (clientIndex, clock) = transaction.ToMerge[i];
            var client = store.Clients[clientIndex];
            var cursor = client.Seek(clock);
            var next = cursor;
            if (client.MoveNext(ref next))
            {
                if (store.MergeWithLefts(client, ref next) > 1)
                    continue;
                cursor = client.Seek(clock);
            }
            store.MergeWithLefts(client, ref cursor);
        }
        store.CompactHeaps();
    }

    private static void MergeRange(BlockStore store, in ClientRange range)
    {
        var client = store.Clients[range.Client];
        var cursor = client.Seek(range.NextClock - 1);
        client.MoveNext(ref cursor);
        while (!ClientBlocks.IsFirst(cursor) && store[client[cursor]].Clock >= range.Clock)
            client.MergeAndStepLeft(store, ref cursor);
    }

    private static void EmitUpdates(Transaction transaction, ref List<Exception>? failures)
    {
        var doc = transaction.Doc;
        if (doc.UpdateV1Handlers.IsEmpty && doc.UpdateV2Handlers.IsEmpty)
            return;
        if (transaction.Inserted.Count == 0 && transaction.Deletes.IsEmpty)
            return;
        if (!doc.UpdateV1Handlers.IsEmpty)
        {
            var update = StateEncoder.EncodeTransaction(transaction);
            doc.UpdateV1Handlers.Invoke(new UpdateEvent(update, transaction.Origin, transaction), ref failures);
        }
        if (!doc.UpdateV2Handlers.IsEmpty)
        {
            var update = UpdateV2.EncodeTransaction(transaction);
            doc.UpdateV2Handlers.Invoke(new UpdateEvent(update, transaction.Origin, transaction), ref failures);
        }
    }
}
