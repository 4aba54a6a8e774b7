namespace Collab.Crdt;

/// <summary>
/// Deletes marks that have become needless (yjs <c>cleanupFormattingGap</c> and what is around it): after a local delete in
/// the gap that it left, after a remote change in every text that it formatted.
/// </summary>
internal static class TextCleanup
{
    /// <summary>
    /// Cleans the marks between <paramref name="start"/> and the next visible unit: only the last of each key counts, and only
    /// when it changes something.
    /// </summary>
    /// <param name="transaction">The transaction.</param>
    /// <param name="start">The first block of the gap.</param>
    /// <param name="current">The block up to which <paramref name="currentAttributes"/> has been kept; 0 for the end.</param>
    /// <param name="startAttributes">What holds before the gap.</param>
    /// <param name="currentAttributes">What holds at <paramref name="current"/>; kept right.</param>
    public static void CleanGap(Transaction transaction, int start, int current, FormatSet startAttributes, FormatSet currentAttributes)
    {
        var store = transaction.Store;
        var end = start;
        var lastBlocks = new Dictionary<string, int>();
        while (end != 0 && (!store[end].IsCountable || store[end].IsDeleted))
        {
            ref var block = ref store[end];
            if (!block.IsDeleted && block.Kind == StructKind.Format)
                lastBlocks[store.FormatOf(block).Key] = end;
            end = block.Right;
        }
        var reachedCurrent = false;
        for (var at = start; at != end; at = store[at].Right)
        {
            reachedCurrent |= at == current;
            ref var block = ref store[at];
            if (block.IsDeleted || block.Kind != StructKind.Format)
                continue;
            var mark = store.FormatOf(block);
            var before = startAttributes.ValueOrNull(mark.Key);
            if (lastBlocks[mark.Key] != at || before.StrictEquals(mark.Value))
            {
                Deletion.Delete(transaction, at);
                if (!reachedCurrent && currentAttributes.ValueOrNull(mark.Key).StrictEquals(mark.Value) && !before.StrictEquals(mark.Value))
                {
                    if (before.Kind == AnyKind.Null)
                        currentAttributes.Remove(mark.Key);
                    else
                        currentAttributes.Set(mark.Key, before);
                }
            }
            else if (!reachedCurrent)
            {
                currentAttributes.Apply(mark);
            }
        }
    }

    /// <summary>Cleans the texts that a remote transaction has changed, in a transaction of its own (yjs <c>cleanupYTextAfterTransaction</c>).</summary>
    public static void AfterTransaction(Transaction transaction)
    {
        var store = transaction.Store;
        var texts = new HashSet<Branch>();
        var inOrder = new List<Branch>();
        foreach (var (client, before, after) in transaction.Inserted)
        {
            BlockRanges.ForEach(transaction, new ClientRange(client, before, after - before), handle =>
            {
                ref var block = ref store[handle];
                if (!block.IsDeleted && block.Kind == StructKind.Format && texts.Add(store.ParentOf(block)))
                    inOrder.Add(store.ParentOf(block));
            });
        }
        using var scope = transaction.Doc.Write();
        var cleanup = scope.Transaction;
        foreach (var range in transaction.Deletes.InOrderOfClients())
        {
            BlockRanges.ForEach(transaction, range, handle =>
            {
                ref var block = ref store[handle];
                if (block.IsGc || !store.ParentOf(block).HasFormatting || texts.Contains(store.ParentOf(block)))
                    return;
                if (block.Kind == StructKind.Format)
                {
                    texts.Add(store.ParentOf(block));
                    inOrder.Add(store.ParentOf(block));
                }
                else
                {
                    CleanContextlessGap(cleanup, handle);
                }
            });
        }
        foreach (var text in inOrder)
            CleanText(cleanup, text);
    }

    /// <summary>
    /// Cleans the marks before the first visible unit. yjs' <c>cleanupYTextFormatting</c> walks through the whole text, but what
    /// it does at each further gap finds that gap ended where it begins.
    /// </summary>
    private static void CleanText(Transaction transaction, Branch text)
    {
        var store = transaction.Store;
        var attributes = new FormatSet();
        for (var at = text.Start; at != 0; at = store[at].Right)
        {
            ref var block = ref store[at];
            if (block.IsDeleted)
                continue;
            if (block.Kind != StructKind.Format)
            {
                CleanGap(transaction, text.Start, at, new FormatSet(), attributes);
                return;
            }
            attributes.Apply(store.FormatOf(block));
        }
    }

    /// <summary>Deletes marks that others of the same key follow in the same gap; what holds before it does not matter.</summary>
    private static void CleanContextlessGap(Transaction transaction, int at)
    {
        var store = transaction.Store;
        while (store[at].Right is not 0 and var right && (store[right].IsDeleted || !store[right].IsCountable))
            at = right;
        HashSet<string>? keys = null;
        for (; at != 0 && (store[at].IsDeleted || !store[at].IsCountable); at = store[at].Left)
        {
            ref var block = ref store[at];
            if (!block.IsDeleted && block.Kind == StructKind.Format && !(keys ??= []).Add(store.FormatOf(block).Key))
                Deletion.Delete(transaction, at);
        }
    }
}
