namespace Collab.Crdt;

/// <summary>
/// A bundle of changes. All that happens in it reaches observers, other documents and the undo manager as one step, when it
/// ends. Made by <see cref="Doc.WriteTransaction"/>; disposing it commits (there is no way back but to undo).
/// </summary>
public sealed class Transaction : IDisposable
{
    private TransactionNotes? _notes;
    private HashSet<Branch>? _changedWithParents;
    private bool _isEnded;

    internal Transaction(Doc doc, object? origin, bool local, TransactionNotes notes)
    {
        Doc = doc;
        Origin = origin;
        Local = local;
        _notes = notes;
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
    internal RangeSet Deletes => Notes.Deletes;

    /// <summary>True when something visible was deleted, so that there is content to collect.</summary>
    internal bool HasContentToCollect { get; set; }

    /// <summary>Blocks that were split, or lost something to their left, and may be one again at the end.</summary>
    internal List<BlockId> ToMerge => Notes.ToMerge;

    /// <summary>True while handlers may still ask what was changed.</summary>
    internal bool IsObservable { get; set; }

    internal bool NeedsFormattingCleanup { get; set; }

    /// <summary>Subdocuments that came, went, or are to be loaded; null until one does.</summary>
    internal SubDocChanges? SubDocs { get; set; }

    /// <summary>The clients that have inserted something, with their clocks before and, once the body has ended, after.</summary>
    internal List<ClockChange> Inserted => Notes.Before.Changes;

    /// <summary>The types that have changed, with what has changed in them.</summary>
    internal List<ChangedType> Changed => Notes.Changed.All;

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
    internal uint Before(int client) => Notes.Before.TryGet(client, out var before) ? before : Store.State(client);

    /// <summary>True when a unit did not exist when the transaction began.</summary>
    internal bool Adds(BlockId id) => id.Clock >= Before(id.Client);

    /// <summary>Notes that a client is about to insert something.</summary>
    internal void WillInsert(int client, uint clock) => Notes.Before.AddIfMissing(client, clock);

    /// <summary>Notes that a type has changed: under a key, or its list when that is 0 (yjs <c>addChangedTypeToTransaction</c>).</summary>
    internal void Change(Branch branch, int key)
    {
        if (branch.Item != 0)
        {
            ref var item = ref Store[branch.Item];
            if (item.IsDeleted || Adds(item.Id))
                return;
        }
        Notes.Changed.GetOrAdd(branch).Add(key);
    }

    /// <summary>Forgets what was noted of a type, because it is deleted.</summary>
    internal void Unchange(Branch branch) => Notes.Changed.Remove(branch);

    /// <summary>True when the type, or one within it, has changed (yjs <c>changedParentTypes</c>). Known once observers have been called.</summary>
    internal bool HasChangedWithin(Branch branch)
    {
        if (_changedWithParents is null)
        {
            _changedWithParents = [];
            foreach (var changed in Changed)
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

    /// <summary>Gives the notes back, cleared; nobody can ask what has changed from then on.</summary>
    internal TransactionNotes ReleaseNotes()
    {
        var notes = Notes;
        _notes = null;
        notes.Clear();
        return notes;
    }

    private TransactionNotes Notes => _notes ?? throw new InvalidOperationException("The transaction has ended.");
}
