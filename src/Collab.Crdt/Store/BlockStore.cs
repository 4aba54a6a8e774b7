using System.Runtime.CompilerServices;

namespace Collab.Crdt;

/// <summary>
/// Everything that a document holds: the blocks in pages, the clients with their blocks by clock, the shared types, and the
/// contents in three heaps. It keeps blocks, lists and indexes consistent with one another; what an edit means is not decided here.
/// </summary>
internal sealed class BlockStore
{
    private const int PageBits = 7, PageSize = 1 << PageBits;

    private readonly Doc _doc;
    private readonly Dictionary<ulong, int> _clientIndexes = [];
    private readonly Dictionary<string, int> _keyIndexes = [];
    private readonly Dictionary<string, Branch> _roots = [];
    private Branch? _recentRoot;
    private byte[] _recentRootName = [];
    private readonly Stack<int> _freeBranches = [];
    private readonly FormatMark?[] _recentFormats = new FormatMark?[8];

    // Pages are never moved, so a reference to a block stays good while others are made. Handle 0 is none.
    private Block[][] _pages = [];
    private RangeSet? _deletes;
    private int _nextHandle = 1, _freeBlocks, _nextRecentFormat;

    /// <summary>How many more blocks may be passed in search of places among concurrent insertions.</summary>
    public long StepsLeft { get; set; } = long.MaxValue;

    public BlockStore(Doc doc)
    {
        _doc = doc;
        Branches.Add(null);
        Keys.Add("");
    }

    /// <summary>The clients, in the order in which they were first heard of.</summary>
    public List<ClientBlocks> Clients { get; } = [];

    /// <summary>The shared types; those that were collected leave null.</summary>
    public List<Branch?> Branches { get; } = [];

    /// <summary>The keys of map entries and attributes, and of formats.</summary>
    public List<string> Keys { get; } = [];

    /// <summary>The root types by name, in the order in which they were made.</summary>
    public IReadOnlyDictionary<string, Branch> Roots => _roots;

    /// <summary>Text that is ASCII, a byte for each unit.</summary>
    public ContentHeap<byte> Narrow { get; } = new();

    /// <summary>All other text, as UTF-16.</summary>
    public ContentHeap<char> Wide { get; } = new();

    /// <summary>Values: of Any and JSON blocks one for each unit, of the others one.</summary>
    public ContentHeap<Any> Values { get; } = new();

    /// <summary>As what blocks were inserted again by an undo.</summary>
    public Dictionary<int, BlockId> Redone { get; } = [];

    public ref Block this[int handle]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref _pages[handle >> PageBits][handle & (PageSize - 1)];
    }

    /// <summary>Counts blocks that were passed in search of a place. Called before anything is changed.</summary>
    /// <exception cref="InvalidUpdateException">There were too many.</exception>
    public void Spend(int steps)
    {
        if ((StepsLeft -= steps) < 0)
            throw Faults.At(UpdateFaultKind.TooLarge, 0, "the places of concurrent insertions are too many to look through");
    }

    /// <summary>The next clock of a client.</summary>
    public uint State(int client) => Clients[client].State;

    /// <summary>The index of a client id; a new one when it was not known.</summary>
    public int Client(ulong id)
    {
        if (_clientIndexes.TryGetValue(id, out var index))
            return index;
        index = Clients.Count;
        Clients.Add(new ClientBlocks(id));
        _clientIndexes.Add(id, index);
        return index;
    }

    public bool TryGetClient(ulong id, out int index) => _clientIndexes.TryGetValue(id, out index);

    /// <summary>The index of a key.</summary>
    public int Key(string key)
    {
        if (_keyIndexes.TryGetValue(key, out var index))
            return index;
        index = Keys.Count;
        Keys.Add(key);
        _keyIndexes.Add(key, index);
        return index;
    }

    public bool TryGetKey(string key, out int index) => _keyIndexes.TryGetValue(key, out index);

    /// <summary>The root type of a name; a new one, of no kind yet, when there was none.</summary>
    public Branch Root(string name)
    {
        if (!_roots.TryGetValue(name, out var root))
            _roots.Add(name, root = NewBranch(TypeKind.Untyped, name));
        return root;
    }

    /// <inheritdoc cref="Root(string)"/>
    public Branch Root(ReadOnlySpan<byte> utf8)
    {
        // Nearly always the same name as the last time, which is then not decoded again.
        if (_recentRoot is null || !utf8.SequenceEqual(_recentRootName))
        {
            _recentRoot = Root(System.Text.Encoding.UTF8.GetString(utf8));
            _recentRootName = utf8.ToArray();
        }
        return _recentRoot;
    }

    public Branch NewBranch(TypeKind kind, string? name)
    {
        if (_freeBranches.TryPop(out var index))
            return Branches[index] = new Branch(_doc, index, kind, name);
        var branch = new Branch(_doc, Branches.Count, kind, name);
        Branches.Add(branch);
        return branch;
    }

    /// <summary>The shared type that holds a block.</summary>
    public Branch ParentOf(in Block block) => Branches[block.Parent]!;

    /// <summary>The shared type that a block of kind <see cref="StructKind.Type"/> is.</summary>
    public Branch TypeOf(in Block block) => Branches[block.Content]!;

    /// <summary>The mark that a block of kind <see cref="StructKind.Format"/> is.</summary>
    public FormatMark FormatOf(in Block block) => (FormatMark)Values[block.Content].Reference!;

    /// <summary>Copies the text of a block to the start of <paramref name="target"/>.</summary>
    public void CopyText(in Block block, Span<char> target)
    {
        if (block.IsWide)
            Wide.Slice(block.Content, (int)block.Length).CopyTo(target);
        else
            System.Text.Ascii.ToUtf16(Narrow.Slice(block.Content, (int)block.Length), target, out _);
    }

    /// <summary>The text of a block.</summary>
    public string TextOf(in Block block) =>
        block.IsWide ? new string(Wide.Slice(block.Content, (int)block.Length))
        : System.Text.Encoding.ASCII.GetString(Narrow.Slice(block.Content, (int)block.Length));

    /// <summary>A mark; equal ones in a row are one object, since texts have few and the same again and again.</summary>
    public FormatMark Format(string key, Any value)
    {
        foreach (var recent in _recentFormats)
        {
            if (recent is not null && recent.Key == key && recent.Value.Kind is not (AnyKind.Object or AnyKind.Array) && recent.Value == value)
                return recent;
        }
        _nextRecentFormat = (_nextRecentFormat + 1) % _recentFormats.Length;
        return _recentFormats[_nextRecentFormat] = new FormatMark(key, value);
    }

    /// <summary>A fresh block, all zero but for its origins, which are none.</summary>
    public int NewBlock()
    {
        int handle;
        if (_freeBlocks != 0)
        {
            handle = _freeBlocks;
            _freeBlocks = this[handle].Right;
        }
        else
        {
            handle = _nextHandle++;
            var page = handle >> PageBits;
            if (page == _pages.Length)
                Array.Resize(ref _pages, Math.Max(2, _pages.Length + (_pages.Length >> 1)));
            _pages[page] ??= new Block[PageSize];
        }
        ref var block = ref this[handle];
        block = default;
        block.OriginClient = block.RightOriginClient = Block.NoClient;
        return handle;
    }

    /// <summary>Makes room for the contents of an update when there is nothing yet: a document that is loaded does not grow bit by bit.</summary>
    public void Reserve(in UpdateContents contents)
    {
        if (_nextHandle > 1)
            return;
        Narrow.Reserve(contents.NarrowUnits);
        var pages = ((_nextHandle + contents.Structs) >> PageBits) + 1;
        if (pages > _pages.Length)
            Array.Resize(ref _pages, pages);
    }

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

    private void Release(int handle)
    {
        ref var block = ref this[handle];
        block = default;
        block.Right = _freeBlocks;
        _freeBlocks = handle;
    }

    /// <summary>Gives back a block that was never put anywhere, with its content.</summary>
    public void Discard(int handle)
    {
        FreeContent(ref this[handle]);
        Release(handle);
    }

    /// <summary>Gives back what a deleted block holds and leaves a block of the same length that holds nothing.</summary>
    public void FreeContent(ref Block block)
    {
        switch (block.Kind)
        {
            case StructKind.String when block.IsWide:
                Wide.Free(block.Content, (int)block.Length);
                break;
            case StructKind.String:
                Narrow.Free(block.Content, (int)block.Length);
                break;
            case StructKind.Any or StructKind.Json:
                Values.Free(block.Content, (int)block.Length);
                break;
            case StructKind.Binary or StructKind.Embed or StructKind.Format or StructKind.Doc:
                Values.Free(block.Content, 1);
                break;
            case StructKind.Type:
                Branches[block.Content] = null;
                _freeBranches.Push(block.Content);
                break;
        }
        block.Content = 0;
        block.Flags &= ~BlockFlags.Wide;
    }

    /// <summary>Lets the heaps drop what is dead, when that has become the larger part.</summary>
    public void CompactHeaps()
    {
        if (Narrow.WantsCompaction)
        {
            var old = Narrow.Restart();
            ForEachBlock((ref block) =>
            {
                if (block.Kind == StructKind.String && !block.IsWide)
                    block.Content = Narrow.Append(old.AsSpan(block.Content, (int)block.Length));
            });
        }
        if (Wide.WantsCompaction)
        {
            var old = Wide.Restart();
            ForEachBlock((ref block) =>
            {
                if (block.Kind == StructKind.String && block.IsWide)
                    block.Content = Wide.Append(old.AsSpan(block.Content, (int)block.Length));
            });
        }
        if (Values.WantsCompaction)
        {
            var old = Values.Restart();
            ForEachBlock((ref block) =>
            {
                if (block.Kind is StructKind.Any or StructKind.Json)
                    block.Content = Values.Append(old.AsSpan(block.Content, (int)block.Length));
                else if (block.Kind is StructKind.Binary or StructKind.Embed or StructKind.Format or StructKind.Doc)
                    block.Content = Values.Append(old[block.Content]);
            });
        }
    }

    /// <summary>All that is deleted, by client index and clock. Gathered when first asked for, and kept from then on.</summary>
    public ReadOnlySpan<ClientRange> AllDeletes()
    {
        if (_deletes is null)
        {
            _deletes = new RangeSet();
            for (var i = 0; i < Clients.Count; i++)
                GatherDeletes(i, Clients[i], _deletes);
        }
        return _deletes.Sorted();
    }

    /// <summary>Notes that units are deleted from now on.</summary>
    public void NoteDeleted(in Block block) => _deletes?.Add(block.Client, block.Clock, block.Length);

    private void GatherDeletes(int index, ClientBlocks client, RangeSet deletes)
    {
        if (client.Count == 0)
            return;
        var cursor = default(ClientBlocks.Cursor);
        do
        {
            ref var block = ref this[client[cursor]];
            if (block.IsDeleted)
                deletes.Add(index, block.Clock, block.Length);
        }
        while (client.MoveNext(ref cursor));
    }

    private delegate void BlockAction(ref Block block);

    private void ForEachBlock(BlockAction action)
    {
        foreach (var client in Clients)
        {
            if (client.Count == 0)
                continue;
            var cursor = default(ClientBlocks.Cursor);
            do
                action(ref this[client[cursor]]);
            while (client.MoveNext(ref cursor));
        }
    }
}
