namespace Collab.Crdt;

/// <summary>Which keys of a type a transaction has changed, and what they were before (yjs <c>YEvent.keys</c>).</summary>
internal static class KeyChanges
{
    public static IReadOnlyDictionary<string, KeyChange> Of(Transaction transaction, ChangedType changed)
    {
        var store = transaction.Store;
        var keys = new OrderedDictionary<string, KeyChange>();
        foreach (var key in changed.Keys)
        {
            var last = changed.Branch.LastOfKey(key);
            if (last != 0 && Of(transaction, last) is { } change)
                keys[store.Keys[key]] = change;
        }
        return keys;
    }

    private static KeyChange? Of(Transaction transaction, int last)
    {
        var store = transaction.Store;
        ref var block = ref store[last];
        var isDeleted = transaction.Deletes.Contains(block.Id);
        if (!transaction.Adds(block.Id))
            return isDeleted ? new KeyChange(KeyAction.Delete, MapEditor.LastValue(store, last)) : null;

        var before = block.Left;
        while (before != 0 && transaction.Adds(store[before].Id))
            before = store[before].Left;
        var hadValue = before != 0 && transaction.Deletes.Contains(store[before].Id);
        if (isDeleted)
            return hadValue ? new KeyChange(KeyAction.Delete, MapEditor.LastValue(store, before)) : null;
        return hadValue
            ? new KeyChange(KeyAction.Update, MapEditor.LastValue(store, before))
            : new KeyChange(KeyAction.Add, Any.Undefined);
    }
}
