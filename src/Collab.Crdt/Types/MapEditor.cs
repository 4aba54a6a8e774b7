namespace Collab.Crdt;

/// <summary>Edits and reads the entries of a shared type: those of a map, the attributes of an XML node (yjs <c>typeMap…</c> functions).</summary>
internal static class MapEditor
{
    public static void Set(Transaction transaction, Branch branch, string key, in Any value)
    {
        PlainValue.Check(value);
        var keyIndex = transaction.Store.Key(key);
        ListEditor.InsertValue(transaction, branch, branch.LastOfKey(keyIndex), right: 0, keyIndex, value);
    }

    public static bool Remove(Transaction transaction, Branch branch, string key)
    {
        var handle = FindLast(branch, key);
        if (handle == 0 || transaction.Store[handle].IsDeleted)
            return false;
        Deletion.Delete(transaction, handle);
        return true;
    }

    public static bool TryGet(Branch branch, string key, out Any value)
    {
        var handle = FindLast(branch, key);
        if (handle == 0 || branch.Doc.Store[handle].IsDeleted)
        {
            value = default;
            return false;
        }
        value = LastValue(branch.Doc.Store, handle);
        return true;
    }

    /// <summary>The entries in the order in which their keys first came.</summary>
    public static IEnumerable<KeyValuePair<string, Any>> Entries(Branch branch)
    {
        if (branch.Map is not { } map)
            yield break;
        var store = branch.Doc.Store;
        foreach (var (key, handle) in map)
        {
            if (!store[handle].IsDeleted)
                yield return new(store.Keys[key], LastValue(store, handle));
        }
    }

    /// <summary>The last unit of a block: a later value of a key wins over an earlier one.</summary>
    public static Any LastValue(BlockStore store, int handle)
    {
        ref var block = ref store[handle];
        return ListEditor.ValueAt(store, block, block.Length - 1);
    }

    private static int FindLast(Branch branch, string key) =>
        branch.Doc.Store.TryGetKey(key, out var index) ? branch.LastOfKey(index) : 0;
}
