namespace Collab.Crdt;

/// <summary>Edits and reads the list of a shared type (yjs <c>typeList…</c> functions).</summary>
internal static class ListEditor
{
    /// <summary>How many blocks are walked over before an index is worth making.</summary>
    private const int WalkedBlocks = 48;

    /// <summary>The block after which a position lies, split there where needed; 0 at the start.</summary>
    /// <param name="transaction">The transaction.</param>
    /// <param name="branch">The type.</param>
    /// <param name="index">The position in visible units, at most the length.</param>
    public static int LeftOf(Transaction transaction, Branch branch, uint index)
    {
        if (index == 0)
            return 0;
        var store = transaction.Store;
        var handle = Find(branch, index - 1, out var offset);
        if (offset + 1 < store[handle].Length)
            store.Split(transaction, handle, offset + 1);
        return handle;
    }

    /// <summary>The block that holds a visible unit, and which of its units that is.</summary>
    public static int Find(Branch branch, uint index, out uint offset)
    {
        var store = branch.Doc.Store;
        if (branch.Positions is null)
        {
            var left = index;
            var walked = 0;
            for (var at = branch.Start; at != 0; at = store[at].Right)
            {
                var length = store[at].VisibleLength;
                if (left < length)
                {
                    offset = left;
                    return at;
                }
                left -= length;
                if (++walked > WalkedBlocks)
                    break;
            }
            branch.Positions = new PositionIndex(store, branch);
        }
        return branch.Positions.Find(index, out offset);
    }

    /// <summary>How many visible units stand before a block.</summary>
    public static uint IndexOf(Branch branch, int handle)
    {
        var store = branch.Doc.Store;
        if (branch.Positions is null)
        {
            var index = 0u;
            var walked = 0;
            for (var at = branch.Start; at != handle; at = store[at].Right)
            {
                index += store[at].VisibleLength;
                if (++walked > WalkedBlocks)
                {
                    branch.Positions = new PositionIndex(store, branch);
                    return branch.Positions.IndexOf(handle);
                }
            }
            return index;
        }
        return branch.Positions.IndexOf(handle);
    }

    /// <summary>Inserts values at a position.</summary>
    public static void Insert(Transaction transaction, Branch branch, int index, ReadOnlySpan<Any> values)
    {
        if ((uint)index > branch.Length)
            throw new ArgumentOutOfRangeException(nameof(index), $"The index is {index}, the length {branch.Length}.");
        InsertAfter(transaction, branch, LeftOf(transaction, branch, (uint)index), values);
    }

    /// <summary>Inserts values behind everything, also behind what is deleted.</summary>
    public static void Push(Transaction transaction, Branch branch, ReadOnlySpan<Any> values)
    {
        var store = transaction.Store;
        var last = branch.Length > 0 ? Find(branch, branch.Length - 1, out _) : branch.Start;
        while (last != 0 && store[last].Right != 0)
            last = store[last].Right;
        InsertAfter(transaction, branch, last, values);
    }

    /// <summary>Inserts values behind a block: plain ones that follow one another become one block.</summary>
    public static void InsertAfter(Transaction transaction, Branch branch, int left, ReadOnlySpan<Any> values)
    {
        foreach (ref readonly var value in values)
            PlainValue.Check(value);
        var store = transaction.Store;
        var right = left == 0 ? branch.Start : store[left].Right;
        for (var i = 0; i < values.Length;)
        {
            var plain = i;
            while (plain < values.Length && IsPlain(values[plain]))
                plain++;
            if (plain > i)
            {
                left = InsertBlock(transaction, branch, left, right, StructKind.Any, store.Values.Append(values[i..plain]), (uint)(plain - i));
                i = plain;
            }
            else
            {
                left = InsertValue(transaction, branch, left, right, key: 0, values[i++]);
            }
        }
    }

    /// <summary>Deletes visible units.</summary>
    public static void Delete(Transaction transaction, Branch branch, int index, int length)
    {
        if (index < 0 || length < 0 || (uint)index + (uint)length > branch.Length)
            throw new ArgumentOutOfRangeException(nameof(length), $"Units {index} to {(long)index + length} of {branch.Length} cannot be deleted.");
        if (length == 0)
            return;
        var store = transaction.Store;
        var left = LeftOf(transaction, branch, (uint)index);
        var rest = (uint)length;
        for (var at = left == 0 ? branch.Start : store[left].Right; rest > 0; at = store[at].Right)
        {
            ref var block = ref store[at];
            if (block.IsDeleted)
                continue;
            if (rest < block.Length)
                store.Split(transaction, at, rest);
            rest -= block.Length;
            Deletion.Delete(transaction, at);
        }
    }

    /// <summary>Inserts one value, of any kind, into the list or under a key.</summary>
    /// <returns>Its block.</returns>
    public static int InsertValue(Transaction transaction, Branch branch, int left, int right, int key, in Any value)
    {
        var store = transaction.Store;
        var (kind, content) = value.Kind switch
        {
            AnyKind.Bytes => (StructKind.Binary, store.Values.Append(value)),
            AnyKind.Doc => (StructKind.Doc, store.Values.Append(value)),
            AnyKind.Type => (StructKind.Type, value.AsType<SharedType>().Attach(store).Index),
            _ => (StructKind.Any, store.Values.Append(value)),
        };
        return InsertBlock(transaction, branch, left, right, kind, content, 1, key);
    }

    /// <summary>Inserts a block of this replica between two neighbours.</summary>
    /// <returns>Its handle.</returns>
    public static int InsertBlock(
        Transaction transaction, Branch branch, int left, int right, StructKind kind, int content, uint length, int key = 0, bool wide = false)
    {
        var store = transaction.Store;
        var id = transaction.Doc.NextId();
        if ((ulong)id.Clock + length > UpdateLimits.HighestClock)
            throw new InvalidOperationException("The client has used up its clock. Take a new client id.");
        var handle = store.NewBlock();
        ref var block = ref store[handle];
        block.Client = id.Client;
        block.Clock = id.Clock;
        block.Length = length;
        block.Kind = kind;
        block.Content = content;
        block.Parent = branch.Index;
        block.Key = key;
        if (wide)
            block.Flags = BlockFlags.Wide;
        if (left != 0)
            (block.OriginClient, block.OriginClock) = store[left].LastId;
        if (right != 0)
            (block.RightOriginClient, block.RightOriginClock) = store[right].Id;
        block.Left = left;
        block.Right = right;
        Integration.Integrate(transaction, handle);
        return handle;
    }

    /// <summary>The value at a position.</summary>
    public static Any Get(Branch branch, int index)
    {
        if ((uint)index >= branch.Length)
            throw new ArgumentOutOfRangeException(nameof(index), $"The index is {index}, the length {branch.Length}.");
        var handle = Find(branch, (uint)index, out var offset);
        return ValueAt(branch.Doc.Store, branch.Doc.Store[handle], offset);
    }

    /// <summary>The visible values in order.</summary>
    public static IEnumerable<Any> Values(Branch branch)
    {
        var store = branch.Doc.Store;
        for (var at = branch.Start; at != 0; at = store[at].Right)
        {
            var length = store[at].VisibleLength;
            for (var offset = 0u; offset < length; offset++)
                yield return ValueAt(store, store[at], offset);
        }
    }

    /// <summary>One unit of a block as an application sees it.</summary>
    public static Any ValueAt(BlockStore store, in Block block, uint offset) => block.Kind switch
    {
        StructKind.Any or StructKind.Json => store.Values[block.Content + (int)offset],
        StructKind.Binary or StructKind.Embed or StructKind.Doc => store.Values[block.Content],
        StructKind.Type => SharedType.ViewOf(store.TypeOf(block)),
        StructKind.String when block.IsWide => store.Wide[block.Content + (int)offset].ToString(),
        StructKind.String => ((char)store.Narrow[block.Content + (int)offset]).ToString(),
        _ => Any.Undefined,
    };

    private static bool IsPlain(in Any value) => value.Kind is not (AnyKind.Bytes or AnyKind.Doc or AnyKind.Type);
}
