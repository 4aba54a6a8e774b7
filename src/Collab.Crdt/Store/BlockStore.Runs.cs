namespace Collab.Crdt;

/// <summary>Finding the block of a unit, splitting blocks, and joining neighbours that are one run.</summary>
internal sealed partial class BlockStore
{
    /// <summary>The block that holds a unit.</summary>
    public int Find(BlockId id) => Clients[id.Client].Find(id.Clock);

    /// <summary>The block that begins with a unit; the one that holds it is split where needed.</summary>
    public int FindStart(Transaction transaction, BlockId id)
    {
        var client = Clients[id.Client];
        var cursor = client.Seek(id.Clock);
        var handle = client[cursor];
        ref var block = ref this[handle];
        return block.Clock < id.Clock && !block.IsGc ? Split(transaction, handle, id.Clock - block.Clock, cursor) : handle;
    }

    /// <summary>The block that ends with a unit; the one that holds it is split where needed.</summary>
    public int FindEnd(Transaction transaction, BlockId id)
    {
        var client = Clients[id.Client];
        var cursor = client.Seek(id.Clock);
        var handle = client[cursor];
        ref var block = ref this[handle];
        if (block.NextClock - 1 != id.Clock && !block.IsGc)
            Split(transaction, handle, id.Clock - block.Clock + 1, cursor);
        return handle;
    }

    /// <summary>Splits a block after its first <paramref name="length"/> units.</summary>
    /// <returns>The right half.</returns>
    public int Split(Transaction transaction, int handle, uint length)
    {
        var client = Clients[this[handle].Client];
        return Split(transaction, handle, length, client.Seek(this[handle].Clock));
    }

    private int Split(Transaction transaction, int leftHandle, uint length, ClientBlocks.Cursor cursor)
    {
        var rightHandle = NewBlock();
        ref var left = ref this[leftHandle];
        ref var right = ref this[rightHandle];
        right = left;
        right.Clock = left.Clock + length;
        right.Length = left.Length - length;
        right.OriginClient = left.Client;
        right.OriginClock = right.Clock - 1;
        right.Left = leftHandle;
        right.Leaf = 0;
        if (left.Kind is StructKind.String or StructKind.Any or StructKind.Json)
        {
            right.Content = left.Content + (int)length;
            if (left.IsWide)
                MendSplitPair(left, right);
        }
        if (left.IsRedone)
        {
            var redone = Redone[leftHandle];
            Redone[rightHandle] = redone with { Clock = redone.Clock + length };
        }
        left.Length = length;
        left.Right = rightHandle;
        if (right.Right != 0)
            this[right.Right].Left = rightHandle;
        else if (right.Key != 0)
            ParentOf(right).SetLastOfKey(right.Key, rightHandle);
        Clients[left.Client].InsertAfter(cursor, rightHandle, right.Clock);
        if (left.Leaf != 0)
        {
            var positions = ParentOf(left).Positions!;
            positions.SetLength(leftHandle, left.VisibleLength);
            positions.Insert(leftHandle, rightHandle, right.VisibleLength);
        }
        transaction.MergeLater(right.Id);
        return rightHandle;
    }

    // A cut through a surrogate pair leaves the replacement character in place of each half, as in yjs.
    private void MendSplitPair(in Block left, in Block right)
    {
        ref var last = ref Wide[left.Content + (int)(right.Clock - left.Clock) - 1];
        if (!char.IsHighSurrogate(last))
            return;
        last = '\uFFFD';
        Wide[right.Content] = '\uFFFD';
    }

    /// <summary>
    /// Joins the block at <paramref name="cursor"/>, and those left of it, into their left neighbours as long as they are one
    /// run (yjs <c>tryToMergeWithLefts</c>).
    /// </summary>
    /// <returns>How many blocks went into others; <paramref name="cursor"/> is at the leftmost that was looked at.</returns>
    public int MergeWithLefts(ClientBlocks client, ref ClientBlocks.Cursor cursor)
    {
        var merged = 0;
        while (!ClientBlocks.IsFirst(cursor))
        {
            var leftCursor = cursor;
            client.MovePrevious(ref leftCursor);
            if (!TryMerge(client[leftCursor], client[cursor]))
                break;
            client.Remove(cursor);
            cursor = leftCursor;
            merged++;
        }
        return merged;
    }

    private bool TryMerge(int leftHandle, int rightHandle)
    {
        ref var left = ref this[leftHandle];
        ref var right = ref this[rightHandle];
        if (left.Kind != right.Kind || (left.Flags ^ right.Flags).HasFlag(BlockFlags.Deleted))
            return false;
        if (left.Kind == StructKind.Gc)
        {
            left.Length += right.Length;
            Release(rightHandle);
            return true;
        }
        if (left.Right != rightHandle || right.OriginClient != left.Client || right.OriginClock != left.NextClock - 1
            || left.RightOriginClient != right.RightOriginClient || left.RightOriginClock != right.RightOriginClock
            || left.IsRedone || right.IsRedone)
        {
            return false;
        }
        switch (left.Kind)
        {
            case StructKind.Deleted:
                break;
            case StructKind.String:
                JoinTexts(ref left, ref right);
                break;
            case StructKind.Any or StructKind.Json:
                left.Content = Values.Join(left.Content, (int)left.Length, right.Content, (int)right.Length);
                break;
            default:
                return false;
        }
        left.Length += right.Length;
        if (right.Leaf != 0)
            ParentOf(left).Positions!.Merge(leftHandle, rightHandle, left.VisibleLength);
        left.Flags |= right.Flags & BlockFlags.Keep;
        left.Right = right.Right;
        if (left.Right != 0)
            this[left.Right].Left = leftHandle;
        if (right.Key != 0 && ParentOf(right).LastOfKey(right.Key) == rightHandle)
            ParentOf(right).SetLastOfKey(right.Key, leftHandle);
        Release(rightHandle);
        return true;
    }

    private void JoinTexts(ref Block left, ref Block right)
    {
        if (!left.IsWide && !right.IsWide)
        {
            left.Content = Narrow.Join(left.Content, (int)left.Length, right.Content, (int)right.Length);
            return;
        }
        Widen(ref left);
        Widen(ref right);
        left.Content = Wide.Join(left.Content, (int)left.Length, right.Content, (int)right.Length);
    }

    private void Widen(ref Block block)
    {
        if (block.IsWide)
            return;
        var length = (int)block.Length;
        var offset = Wide.Used;
        System.Text.Ascii.ToUtf16(Narrow.Slice(block.Content, length), Wide.Extend(length), out _);
        Narrow.Free(block.Content, length);
        block.Content = offset;
        block.Flags |= BlockFlags.Wide;
    }
}
