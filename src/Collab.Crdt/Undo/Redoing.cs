namespace Collab.Crdt;

/// <summary>
/// Inserts deleted blocks again (yjs <c>redoItem</c>): as new blocks with the same content, between what has become of their
/// neighbours. The old block remembers as what it was inserted again.
/// </summary>
/// <param name="transaction">The transaction.</param>
/// <param name="isRedone">Tells whether a block is among those that are to be inserted again.</param>
/// <param name="isUndoDelete">Tells whether a later value of a key is one that the undo takes away.</param>
/// <param name="ignoreRemoteMapChanges">Whether a key gets its old value back even when others have set it since.</param>
internal sealed class Redoing(
    Transaction transaction, Func<int, bool> isRedone, Func<BlockId, bool> isUndoDelete, bool ignoreRemoteMapChanges)
{
    private readonly BlockStore _store = transaction.Store;

    /// <summary>The block as which a block was inserted again, and that one, and so on; it begins where the first one began.</summary>
    public static int Follow(Transaction transaction, int handle)
    {
        var store = transaction.Store;
        while (!store[handle].IsGc && store[handle].IsRedone)
            handle = store.FindStart(transaction, store.Redone[handle]);
        return handle;
    }

    /// <summary>Marks a block, and the types that it is in, as needed by an undo or as needed no longer (yjs <c>keepItem</c>).</summary>
    public static void Keep(BlockStore store, int handle, bool keep)
    {
        while (handle != 0 && store[handle].IsKept != keep)
        {
            store[handle].Flags ^= BlockFlags.Keep;
            handle = store.ParentOf(store[handle]).Item;
        }
    }

    /// <summary>Inserts a block again, before it the types that it is in.</summary>
    /// <returns>The new block; 0 when it cannot be, because what it was in is gone, or because its key has a newer value.</returns>
    public int Redo(int handle)
    {
        if (_store[handle].IsRedone)
            return _store.FindStart(transaction, _store.Redone[handle]);
        // The types within which it was deleted come first, the outermost of them before the others.
        var chain = new Stack<int>();
        chain.Push(handle);
        for (var holder = ItemOf(handle); holder != 0 && _store[holder].IsDeleted && !_store[holder].IsRedone; holder = ItemOf(holder))
        {
            if (!isRedone(holder))
                return 0;
            chain.Push(holder);
        }
        var redone = 0;
        while (chain.TryPop(out var next))
        {
            redone = RedoOne(next);
            if (redone == 0)
                return 0;
        }
        return redone;
    }

    private int RedoOne(int handle)
    {
        var holder = ItemOf(handle);
        if (holder != 0 && _store[holder].IsDeleted)
            holder = Follow(transaction, holder);
        var parent = holder == 0 ? _store.ParentOf(_store[handle]) : TypeIn(holder);
        if (parent is null)
            return 0;

        int left, right;
        if (_store[handle].Key == 0)
        {
            left = NeighbourIn(holder, _store[handle].Left, toRight: false);
            right = NeighbourIn(holder, handle, toRight: true);
        }
        else if (!FindLeftOfKey(handle, holder, parent, out left))
        {
            return 0;
        }
        else
        {
            right = 0;
        }
        return Insert(handle, parent, left, right);
    }

    private Branch? TypeIn(int holder)
    {
        ref var block = ref _store[holder];
        return block.Kind == StructKind.Type ? _store.TypeOf(block) : null;
    }

    private int ItemOf(int handle) => _store.ParentOf(_store[handle]).Item;

    /// <summary>The next block in a direction that stands in the type at <paramref name="holder"/>, or was inserted there again.</summary>
    private int NeighbourIn(int holder, int from, bool toRight)
    {
        for (var at = from; at != 0; at = toRight ? _store[at].Right : _store[at].Left)
        {
            var trace = at;
            while (trace != 0 && (_store[trace].IsGc || ItemOf(trace) != holder))
                trace = _store[trace].IsRedone ? _store.FindStart(transaction, _store.Redone[trace]) : 0;
            if (trace != 0)
                return trace;
        }
        return 0;
    }

    /// <summary>Where the value of a key goes; false when somebody else has set the key since.</summary>
    private bool FindLeftOfKey(int handle, int holder, Branch parent, out int left)
    {
        var key = _store[handle].Key;
        if (_store[handle].Right != 0 && !ignoreRemoteMapChanges)
        {
            left = handle;
            while (_store[left].Right is not 0 and var right && (_store[right].IsRedone || isUndoDelete(_store[right].Id)))
                left = Follow(transaction, right);
            if (_store[left].Right != 0)
                return false;
        }
        else
        {
            left = parent.LastOfKey(key);
        }
        if (left != 0 && ItemOf(left) != holder)
            left = parent.LastOfKey(key);
        return true;
    }

    private int Insert(int handle, Branch parent, int left, int right)
    {
        var id = transaction.Doc.NextId();
        var redone = _store.NewBlock();
        ref var old = ref _store[handle];
        ref var block = ref _store[redone];
        block.Client = id.Client;
        block.Clock = id.Clock;
        block.Parent = parent.Index;
        block.Key = old.Key;
        BlockContent.Copy(_store, old, ref block);
        if (left != 0)
            (block.OriginClient, block.OriginClock) = _store[left].LastId;
        if (right != 0)
            (block.RightOriginClient, block.RightOriginClock) = _store[right].Id;
        block.Left = left;
        block.Right = right;
        old.Flags |= BlockFlags.Redone;
        _store.Redone[handle] = id;
        Keep(_store, redone, keep: true);
        Integration.Integrate(transaction, redone);
        return redone;
    }
}
