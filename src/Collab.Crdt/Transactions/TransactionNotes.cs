namespace Collab.Crdt;

/// <summary>
/// What a transaction keeps while it lasts. A document uses the same notes for one transaction after another, so that a key
/// press leaves no garbage but the update that it makes.
/// </summary>
internal sealed class TransactionNotes
{
    /// <summary>The clocks of the clients that insert, before the transaction.</summary>
    public ClockMap Before { get; } = new();

    /// <summary>The types that have changed.</summary>
    public ChangedTypes Changed { get; } = new();

    /// <summary>What was deleted.</summary>
    public RangeSet Deletes { get; } = new();

    /// <summary>Blocks that may be joined with their neighbours at the end.</summary>
    public List<BlockId> ToMerge { get; } = [];

    public void Clear()
    {
        Before.Clear();
        Changed.Clear();
        Deletes.Clear();
        ToMerge.Clear();
    }
}

/// <summary>What has changed in one type during a transaction.</summary>
internal sealed class ChangedType(Branch branch)
{
    private OrderedDictionary<int, bool>? _keys;

    public Branch Branch { get; } = branch;

    /// <summary>True when its list has changed.</summary>
    public bool List { get; private set; }

    /// <summary>The keys that have changed, in the order of their first change.</summary>
    public IReadOnlyList<int> Keys => _keys is null ? [] : _keys.Keys;

    /// <summary>True once its observers were called, or would have been.</summary>
    public bool WasObserved { get; set; }

    public void Add(int key)
    {
        if (key == 0)
            List = true;
        else
            (_keys ??= []).TryAdd(key, true);
    }
}

/// <summary>The types that have changed in a transaction, in the order of their first change; many are found by a dictionary.</summary>
internal sealed class ChangedTypes
{
    private const int Few = 8;

    private Dictionary<Branch, ChangedType>? _index;

    public List<ChangedType> All { get; } = [];

    public ChangedType GetOrAdd(Branch branch)
    {
        if (Find(branch) is { } found)
            return found;
        var changed = new ChangedType(branch);
        All.Add(changed);
        if (_index is not null)
            _index.Add(branch, changed);
        else if (All.Count > Few)
            _index = All.ToDictionary(type => type.Branch);
        return changed;
    }

    public void Remove(Branch branch)
    {
        if (Find(branch) is not { } found)
            return;
        All.Remove(found);
        _index?.Remove(branch);
    }

    public void Clear()
    {
        All.Clear();
        _index = null;
    }

    private ChangedType? Find(Branch branch)
    {
        if (_index is not null)
            return _index.GetValueOrDefault(branch);
        foreach (var changed in All)
        {
            if (changed.Branch == branch)
                return changed;
        }
        return null;
    }
}

/// <summary>How far a client has gone in a transaction.</summary>
internal readonly record struct ClockChange(int Client, uint Before, uint After);

/// <summary>The clocks of the few clients that a transaction touches, before it; more than a few are found by a dictionary.</summary>
internal sealed class ClockMap
{
    private const int Few = 8;

    private Dictionary<int, int>? _index;

    public List<ClockChange> Changes { get; } = [];

    public bool TryGet(int client, out uint before)
    {
        var at = Find(client);
        before = at >= 0 ? Changes[at].Before : 0;
        return at >= 0;
    }

    public void AddIfMissing(int client, uint clock)
    {
        if (Find(client) >= 0)
            return;
        Changes.Add(new ClockChange(client, clock, clock));
        if (_index is not null)
            _index.Add(client, Changes.Count - 1);
        else if (Changes.Count > Few)
            _index = Changes.Select((change, at) => (change.Client, at)).ToDictionary(entry => entry.Client, entry => entry.at);
    }

    public void Clear()
    {
        Changes.Clear();
        _index = null;
    }

    private int Find(int client)
    {
        if (_index is not null)
            return _index.TryGetValue(client, out var at) ? at : -1;
        for (var i = Changes.Count - 1; i >= 0; i--)
        {
            if (Changes[i].Client == client)
                return i;
        }
        return -1;
    }
}
