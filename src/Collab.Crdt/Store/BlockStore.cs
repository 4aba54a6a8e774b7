using System.Runtime.CompilerServices;

namespace Collab.Crdt;

/// <summary>
/// Everything that a document holds: the blocks in pages, the clients with their blocks by clock, the shared types, and the
/// contents in three heaps. It keeps blocks, lists and indexes consistent with one another; what an edit means is not decided here.
/// </summary>
internal sealed partial class BlockStore
{
    private const int PageBits = 7, PageSize = 1 << PageBits;

    private readonly Doc _doc;
    private readonly Dictionary<ulong, int> _clientIndexes = [];
    private readonly Dictionary<string, int> _keyIndexes = [];
    private readonly Dictionary<string, Branch> _roots = [];
    private Branch? _recentRoot;
    private byte[] _recentRootName = [];
    private readonly Stack<int> _freeBranches = [];

    // Pages are never moved, so a reference to a block stays good while others are made. Handle 0 is none.
    private Block[][] _pages = [];
    private RangeSet? _deletes;
    private int _nextHandle = 1, _freeBlocks;

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

    /// <summary>A fresh block, all zero but for its origins, which are none.</summary>
    public int NewBlock()
    {
        int handle;
        if (_freeBlocks != 0)
        {
            handle = _freeBlocks;
            _freeBlocks = this[handle].Right;
            this[handle] = default;
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
}
