namespace Collab.Crdt;

/// <summary>
/// A bundle of changes. All that happens in it reaches observers, other documents and the undo manager as one step, when it
/// ends. Made by <see cref="Doc.WriteTransaction"/>; disposing it commits (there is no way back but to undo).
/// </summary>
public sealed class Transaction : IDisposable
{
    private readonly ClockMap _before = new();
    private readonly List<ChangedType> _changed = [];
    private HashSet<Branch>? _changedWithParents;
    private bool _isEnded;

    internal Transaction(Doc doc, object? origin, bool local)
    {
        Doc = doc;
        Origin = origin;
        Local = local;
    }

    /// <summary>The document that is changed.</summary>
    public Doc Doc { get; }

    /// <summary>Where the changes come from, as the one who began the transaction has said; null when he has not.</summary>
    public object? Origin { get; }

    /// <summary>False when the changes come from applying an update.</summary>
    public bool Local { get; internal set; }

    /// <summary>Whatever handlers want to leave for one another.</summary>
    public IDictionary<object, object?> Meta => field ??= new Dictionary<object, object?>();

    internal BlockStore Store => Doc.Store;

    /// <summary>What was deleted.</summary>
    internal RangeSet Deletes { get; } = new();

    /// <summary>Blocks that were split, or lost something to their left, and may be one again at the end.</summary>
    internal List<BlockId> ToMerge { get; } = [];

    /// <summary>True while handlers may still ask what was changed.</summary>
    internal bool IsObservable { get; set; }

    internal bool NeedsFormattingCleanup { get; set; }

    /// <summary>Subdocuments that came, went, or are to be loaded; null until one does.</summary>
    internal SubDocChanges? SubDocs { get; set; }

    /// <summary>The clients that have inserted something, with their clocks before and, once the body has ended, after.</summary>
    internal List<ClockChange> Inserted => _before.Changes;

    /// <summary>The types that have changed, with what has changed in them.</summary>
    internal List<ChangedType> Changed => _changed;

    /// <summary>Ends the transaction: observers are called, what was deleted is collected, updates are emitted.</summary>
    /// <exception cref="AggregateException">Handlers have thrown; the document is whole nevertheless.</exception>
    public void Commit()
    {
        if (_isEnded)
            return;
        _isEnded = true;
        Doc.End(this);
    }

    /// <inheritdoc cref="Commit"/>
    public void Dispose() => Commit();

    internal void MergeLater(BlockId id) => ToMerge.Add(id);

    /// <summary>The clock that a client had when the transaction began.</summary>
    internal uint Before(int client) => _before.TryGet(client, out var before) ? before : Store.State(client);

    /// <summary>True when a unit did not exist when the transaction began.</summary>
    internal bool Adds(BlockId id) => id.Clock >= Before(id.Client);

    /// <summary>Notes that a client is about to insert something.</summary>
    internal void WillInsert(int client, uint clock) => _before.AddIfMissing(client, clock);

    /// <summary>Notes that a type has changed: under a key, or its list when that is 0 (yjs <c>addChangedTypeToTransaction</c>).</summary>
    internal void Change(Branch branch, int key)
    {
        if (branch.Item != 0)
        {
            ref var item = ref Store[branch.Item];
            if (item.IsDeleted || Adds(item.Id))
                return;
        }
        for (var i = _changed.Count - 1; i >= 0; i--)
        {
            if (_changed[i].Branch == branch)
            {
                _changed[i].Add(key);
                return;
            }
        }
        var changed = new ChangedType(branch);
        changed.Add(key);
        _changed.Add(changed);
    }

    /// <summary>Forgets what was noted of a type, because it is deleted.</summary>
    internal void Unchange(Branch branch)
    {
        for (var i = 0; i < _changed.Count; i++)
        {
            if (_changed[i].Branch == branch)
            {
                _changed.RemoveAt(i);
                return;
            }
        }
    }

    /// <summary>True when the type, or one within it, has changed (yjs <c>changedParentTypes</c>). Known once observers have been called.</summary>
    internal bool HasChangedWithin(Branch branch)
    {
        if (_changedWithParents is null)
        {
            _changedWithParents = [];
            foreach (var changed in _changed)
            {
                if (!changed.WasObserved)
                    continue;
                for (var at = changed.Branch; _changedWithParents.Add(at) && at.Item != 0; at = Store.ParentOf(Store[at.Item]))
                {
                }
            }
        }
        return _changedWithParents.Contains(branch);
    }
}

/// <summary>What has changed in one type during a transaction.</summary>
internal sealed class ChangedType(Branch branch)
{
    public Branch Branch { get; } = branch;

    /// <summary>True when its list has changed.</summary>
    public bool List { get; private set; }

    /// <summary>The keys that have changed, in the order of their first change.</summary>
    public List<int> Keys { get; } = [];

    /// <summary>True once its observers were called, or would have been.</summary>
    public bool WasObserved { get; set; }

    public void Add(int key)
    {
        if (key == 0)
            List = true;
        else if (!Keys.Contains(key))
            Keys.Add(key);
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
