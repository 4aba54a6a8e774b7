namespace Collab.Crdt;

/// <summary>Deletes blocks: what they hold is not visible any more, and neither is what stands within them.</summary>
internal static class Deletion
{
    /// <summary>Deletes a block, and when it is a shared type all that is in it. Nesting costs no call stack.</summary>
    public static void Delete(Transaction transaction, int handle)
    {
        if (!DeleteOne(transaction, handle))
            return;
        var store = transaction.Store;
        if (store[handle].Kind != StructKind.Type)
            return;
        var within = new Stack<int>();
        PushContents(transaction, handle, within);
        while (within.TryPop(out var inner))
        {
            if (DeleteOne(transaction, inner) && store[inner].Kind == StructKind.Type)
                PushContents(transaction, inner, within);
        }
    }

    private static bool DeleteOne(Transaction transaction, int handle)
    {
        var store = transaction.Store;
        ref var block = ref store[handle];
        if (block.IsDeleted)
            return false;
        var parent = store.ParentOf(block);
        if (block.Key == 0)
            parent.Length -= block.VisibleLength;
        block.Flags |= BlockFlags.Deleted;
        if (block.Leaf != 0)
            parent.Positions!.SetLength(handle, 0);
        transaction.Deletes.Add(block.Client, block.Clock, block.Length);
        transaction.HasContentToCollect = true;
        store.NoteDeleted(block);
        transaction.Change(parent, block.Key);
        if (block.Kind == StructKind.Format && block.Key == 0)
            parent.Formats?.Remove(handle);
        if (block.Kind == StructKind.Doc)
            Doc.RemoveSubDoc(transaction, store.Values[block.Content].AsDoc());
        return true;
    }

    private static void PushContents(Transaction transaction, int typeHandle, Stack<int> within)
    {
        var store = transaction.Store;
        var branch = store.TypeOf(store[typeHandle]);
        for (var at = branch.Start; at != 0; at = store[at].Right)
            DeleteOrMerge(at);
        if (branch.Map is { } map)
        {
            foreach (var at in map.Values)
                DeleteOrMerge(at);
        }
        transaction.Unchange(branch);

        void DeleteOrMerge(int at)
        {
            ref var block = ref store[at];
            if (!block.IsDeleted)
                within.Push(at);
            else if (!transaction.Adds(block.Id))
                transaction.MergeLater(block.Id);
        }
    }
}
