namespace Collab.Crdt;

/// <summary>
/// Collects what was deleted (yjs <c>tryGcDeleteSet</c>): a deleted block keeps its place but not its content, and what stood
/// within a deleted type keeps only its clocks.
/// </summary>
internal static class Collection
{
    /// <summary>Collects the deleted blocks of a range, but for those that an undo may need.</summary>
    public static void Collect(BlockStore store, in ClientRange range)
    {
        var client = store.Clients[range.Client];
        var cursor = client.Seek(range.Clock);
        do
        {
            var handle = client[cursor];
            ref var block = ref store[handle];
            if (block.Clock >= range.NextClock)
                return;
            if (block.IsDeleted && !block.IsKept && block.Kind is not (StructKind.Gc or StructKind.Deleted))
            {
                CollectWithin(store, block);
                store.FreeContent(ref block);
                block.Kind = StructKind.Deleted;
            }
        }
        while (client.MoveNext(ref cursor));
    }

    private static void CollectWithin(BlockStore store, in Block type)
    {
        if (type.Kind != StructKind.Type)
            return;
        var types = new Stack<Branch>();
        types.Push(store.TypeOf(type));
        while (types.TryPop(out var branch))
        {
            for (int at = branch.Start, next; at != 0; at = next)
            {
                next = store[at].Right;
                Collapse(store, at, types);
            }
            foreach (var last in (IEnumerable<int>?)branch.Map?.Values ?? [])
            {
                for (int at = last, next; at != 0; at = next)
                {
                    next = store[at].Left;
                    Collapse(store, at, types);
                }
            }
            branch.Collect();
        }
    }

    private static void Collapse(BlockStore store, int handle, Stack<Branch> types)
    {
        ref var block = ref store[handle];
        if (block.Kind == StructKind.Type)
            types.Push(store.TypeOf(block));
        store.FreeContent(ref block);
        if (block.IsRedone)
            store.Redone.Remove(handle);
        block = new Block
        {
            Kind = StructKind.Gc,
            Flags = BlockFlags.Deleted,
            Client = block.Client,
            Clock = block.Clock,
            Length = block.Length,
            OriginClient = Block.NoClient,
            RightOriginClient = Block.NoClient,
        };
    }
}
