namespace Collab.Crdt;

/// <summary>
/// Finds the blocks of one list by position and positions by block, each in the logarithm of the list's length: a B+ tree
/// whose leaves hold all blocks of the list in order, and whose nodes hold sums of visible units. All in a few arrays.
/// Made when a position is first looked up; the store keeps it right from then on.
/// </summary>
internal sealed class PositionIndex
{
    private const int Width = 32;

    private readonly BlockStore _store;

    // Leaves and nodes are numbered from 1. Slot i of leaf l is at l * Width + i; so are the children of nodes.
    private int[] _blocks = [], _lengths = [], _leafCounts = [], _leafParents = [];
    private int[] _children = [], _sums = [], _nodeCounts = [], _nodeParents = [];
    private bool[] _isAboveLeaves = [];
    private int _leaves, _nodes, _root;

    public PositionIndex(BlockStore store, Branch branch)
    {
        _store = store;
        _root = NewNode(aboveLeaves: true);
        AppendChild(_root, NewLeaf(), 0);
        Build(branch.Start);
    }

    /// <summary>The block that holds the visible unit at <paramref name="index"/>, and which of its units that is.</summary>
    public int Find(uint index, out uint offset)
    {
        var node = _root;
        var left = (int)index;
        while (true)
        {
            var at = node * Width;
            var end = at + _nodeCounts[node];
            var sums = _sums;
            while (at < end && left >= sums[at])
                left -= sums[at++];
            if (at == end)
                throw new InvalidOperationException("The index is past the end.");
            var child = _children[at];
            if (!_isAboveLeaves[node])
            {
                node = child;
                continue;
            }
            at = child * Width;
            var lengths = _lengths;
            while (left >= lengths[at])
                left -= lengths[at++];
            offset = (uint)left;
            return _blocks[at];
        }
    }

    /// <summary>How many visible units stand before the first of <paramref name="block"/>.</summary>
    public uint IndexOf(int block)
    {
        var leaf = _store[block].Leaf;
        var slot = SlotOf(leaf, block);
        var before = 0;
        for (var i = leaf * Width; i < slot; i++)
            before += _lengths[i];
        var child = leaf;
        for (var node = _leafParents[leaf]; node != 0; child = node, node = _nodeParents[node])
        {
            for (var i = node * Width; _children[i] != child; i++)
                before += _sums[i];
        }
        return (uint)before;
    }

    /// <summary>Which of two blocks comes first: negative when <paramref name="a"/> does.</summary>
    public int Compare(int a, int b)
    {
        if (a == b)
            return 0;
        int leafA = _store[a].Leaf, leafB = _store[b].Leaf;
        if (leafA == leafB)
            return SlotOf(leafA, a) - SlotOf(leafB, b);
        // All leaves are equally deep, so both climb in step.
        int childA = leafA, childB = leafB, nodeA = _leafParents[leafA], nodeB = _leafParents[leafB];
        while (nodeA != nodeB)
        {
            (childA, nodeA) = (nodeA, _nodeParents[nodeA]);
            (childB, nodeB) = (nodeB, _nodeParents[nodeB]);
        }
        return ChildSlot(nodeA, childA) - ChildSlot(nodeB, childB);
    }

    /// <summary>Adds a block behind <paramref name="left"/>, or in front when that is 0.</summary>
    public void Insert(int left, int block, uint visibleLength)
    {
        int leaf, slot;
        if (left == 0)
        {
            leaf = FirstLeaf();
            slot = leaf * Width;
        }
        else
        {
            leaf = _store[left].Leaf;
            slot = SlotOf(leaf, left) + 1;
        }
        if (_leafCounts[leaf] == Width)
            SplitLeaf(ref leaf, ref slot);

        var end = leaf * Width + _leafCounts[leaf]++;
        Array.Copy(_blocks, slot, _blocks, slot + 1, end - slot);
        Array.Copy(_lengths, slot, _lengths, slot + 1, end - slot);
        _blocks[slot] = block;
        _lengths[slot] = (int)visibleLength;
        _store[block].Leaf = leaf;
        if (visibleLength > 0)
            AddToSums(leaf, (int)visibleLength);
    }

    /// <summary>Takes a block out.</summary>
    public void Remove(int block)
    {
        var leaf = _store[block].Leaf;
        var slot = SlotOf(leaf, block);
        var length = _lengths[slot];
        var end = leaf * Width + --_leafCounts[leaf];
        Array.Copy(_blocks, slot + 1, _blocks, slot, end - slot);
        Array.Copy(_lengths, slot + 1, _lengths, slot, end - slot);
        _store[block].Leaf = 0;
        if (length > 0)
            AddToSums(leaf, -length);
    }

    /// <summary>Sets the visible units of a block.</summary>
    public void SetLength(int block, uint visibleLength)
    {
        var leaf = _store[block].Leaf;
        var slot = SlotOf(leaf, block);
        var difference = (int)visibleLength - _lengths[slot];
        if (difference == 0)
            return;
        _lengths[slot] = (int)visibleLength;
        AddToSums(leaf, difference);
    }

    /// <summary>Joins a block with its right neighbour in the list, which leaves the index.</summary>
    public void Merge(int left, int right, uint visibleLength)
    {
        int leaf = _store[left].Leaf;
        if (_store[right].Leaf != leaf)
        {
            Remove(right);
            SetLength(left, visibleLength);
            return;
        }
        // Both are in one leaf, so what its parents hold stays as it is.
        var slot = SlotOf(leaf, left);
        var end = leaf * Width + --_leafCounts[leaf];
        Array.Copy(_blocks, slot + 2, _blocks, slot + 1, end - slot - 1);
        Array.Copy(_lengths, slot + 2, _lengths, slot + 1, end - slot - 1);
        _lengths[slot] = (int)visibleLength;
        _store[right].Leaf = 0;
    }

    private void Build(int start)
    {
        // Room is left in every leaf, for what will be inserted there.
        const int fill = Width * 3 / 4;
        var leaf = 1;
        var sum = 0;
        for (var block = start; block != 0; block = _store[block].Right)
        {
            if (_leafCounts[leaf] == fill)
            {
                AddToSums(leaf, sum);
                sum = 0;
                var next = NewLeaf();
                InsertChildAfter(_leafParents[leaf], leaf, next);
                leaf = next;
            }
            var length = (int)_store[block].VisibleLength;
            var slot = leaf * Width + _leafCounts[leaf]++;
            _blocks[slot] = block;
            _lengths[slot] = length;
            sum += length;
            _store[block].Leaf = leaf;
        }
        AddToSums(leaf, sum);
    }

    private int SlotOf(int leaf, int block) => leaf * Width + _blocks.AsSpan(leaf * Width, _leafCounts[leaf]).IndexOf(block);

    private int ChildSlot(int node, int child) => node * Width + _children.AsSpan(node * Width, _nodeCounts[node]).IndexOf(child);

    private int FirstLeaf()
    {
        var node = _root;
        while (!_isAboveLeaves[node])
            node = _children[node * Width];
        return _children[node * Width];
    }

    private void AddToSums(int leaf, int difference) => AddToSums(_leafParents[leaf], leaf, difference);

    private void AddToSums(int node, int child, int difference)
    {
        for (; node != 0; child = node, node = _nodeParents[node])
            _sums[ChildSlot(node, child)] += difference;
    }

    private void SplitLeaf(ref int leaf, ref int slot)
    {
        var parent = _leafParents[leaf];
        var right = NewLeaf();
        // At the end of a leaf the halves would stay half empty for ever, because one writes on from there.
        var keep = slot == leaf * Width + Width ? Width : Width / 2;
        var moved = Width - keep;
        var sum = 0;
        for (var i = 0; i < moved; i++)
        {
            var block = _blocks[leaf * Width + keep + i];
            var length = _lengths[leaf * Width + keep + i];
            _blocks[right * Width + i] = block;
            _lengths[right * Width + i] = length;
            _store[block].Leaf = right;
            sum += length;
        }
        _leafCounts[leaf] = keep;
        _leafCounts[right] = moved;
        // Only whole subtrees are put into nodes, so that a node that is split on the way has sums that fit its children.
        InsertChildAfter(parent, leaf, right);
        AddToSums(leaf, -sum);
        AddToSums(right, sum);
        if (slot > leaf * Width + keep || keep == Width)
        {
            slot = slot - (leaf * Width + keep) + right * Width;
            leaf = right;
        }
    }

    private void InsertChildAfter(int node, int child, int added)
    {
        if (_nodeCounts[node] == Width)
        {
            SplitNode(node);
            node = _isAboveLeaves[node] ? _leafParents[child] : _nodeParents[child];
        }
        var slot = ChildSlot(node, child) + 1;
        var end = node * Width + _nodeCounts[node]++;
        Array.Copy(_children, slot, _children, slot + 1, end - slot);
        Array.Copy(_sums, slot, _sums, slot + 1, end - slot);
        _children[slot] = added;
        _sums[slot] = 0;
        SetParent(node, added);
    }

    private void SplitNode(int node)
    {
        var right = NewNode(_isAboveLeaves[node]);
        var sum = 0;
        for (var i = 0; i < Width / 2; i++)
        {
            var from = node * Width + Width / 2 + i;
            sum += _sums[from];
            AppendChild(right, _children[from], _sums[from]);
        }
        _nodeCounts[node] = Width / 2;
        var parent = _nodeParents[node];
        if (parent == 0)
        {
            _root = NewNode(aboveLeaves: false);
            var whole = 0;
            for (var i = 0; i < Width / 2; i++)
                whole += _sums[node * Width + i];
            AppendChild(_root, node, whole);
            AppendChild(_root, right, sum);
            return;
        }
        InsertChildAfter(parent, node, right);
        AddToSums(_nodeParents[node], node, -sum);
        AddToSums(_nodeParents[right], right, sum);
    }

    private void AppendChild(int node, int child, int sum)
    {
        var slot = node * Width + _nodeCounts[node]++;
        _children[slot] = child;
        _sums[slot] = sum;
        SetParent(node, child);
    }

    private void SetParent(int node, int child)
    {
        if (_isAboveLeaves[node])
            _leafParents[child] = node;
        else
            _nodeParents[child] = node;
    }

    private int NewLeaf()
    {
        var leaf = ++_leaves;
        if (leaf >= _leafCounts.Length)
        {
            var capacity = Math.Max(4, _leafCounts.Length * 2);
            Array.Resize(ref _leafCounts, capacity);
            Array.Resize(ref _leafParents, capacity);
            Array.Resize(ref _blocks, capacity * Width);
            Array.Resize(ref _lengths, capacity * Width);
        }
        return leaf;
    }

    private int NewNode(bool aboveLeaves)
    {
        var node = ++_nodes;
        if (node >= _nodeCounts.Length)
        {
            var capacity = Math.Max(4, _nodeCounts.Length * 2);
            Array.Resize(ref _nodeCounts, capacity);
            Array.Resize(ref _nodeParents, capacity);
            Array.Resize(ref _isAboveLeaves, capacity);
            Array.Resize(ref _children, capacity * Width);
            Array.Resize(ref _sums, capacity * Width);
        }
        _isAboveLeaves[node] = aboveLeaves;
        return node;
    }
}
