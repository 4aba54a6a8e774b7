namespace Collab.Crdt;

/// <summary>How a transaction has changed the list of a type, as a delta (yjs <c>YEvent.changes</c>).</summary>
internal static class ListChanges
{
    public static IReadOnlyList<Delta> Of(Transaction transaction, ChangedType changed)
    {
        if (changed.Branch.Kind is TypeKind.Text or TypeKind.XmlText)
            return new TextChanges(transaction, changed.Branch).Compute();
        if (!changed.List)
            return [];

        var store = transaction.Store;
        var delta = new List<Delta>();
        var kind = DeltaKind.Retain;
        var length = 0;
        var inserted = new List<Any>();
        for (var at = changed.Branch.Start; at != 0; at = store[at].Right)
        {
            ref var block = ref store[at];
            var isNew = transaction.Adds(block.Id);
            if (block.IsDeleted && (isNew || !transaction.Deletes.Contains(block.Id)))
                continue;
            var next = block.IsDeleted ? DeltaKind.Delete : isNew ? DeltaKind.Insert : DeltaKind.Retain;
            if (next != kind)
                AddLast();
            kind = next;
            length += (int)block.Length;
            if (kind == DeltaKind.Insert)
            {
                for (var offset = 0u; offset < block.Length; offset++)
                    inserted.Add(ListEditor.ValueAt(store, block, offset));
            }
        }
        // What is left as it was at the end is not said.
        if (kind != DeltaKind.Retain)
            AddLast();
        return delta;

        void AddLast()
        {
            if (length == 0)
                return;
            delta.Add(kind switch
            {
                DeltaKind.Insert => Delta.InsertValues([.. inserted]),
                DeltaKind.Delete => Delta.Delete(length),
                _ => Delta.Retain(length),
            });
            inserted.Clear();
            length = 0;
        }
    }
}
