namespace Collab.Crdt;

/// <summary>
/// Undoes what was done here, and leaves what others have done meanwhile (yjs <c>UndoManager</c>). It watches some types and
/// all within them, and takes those transactions whose origin is tracked.
/// </summary>
public sealed class UndoManager : IDisposable
{
    private readonly UndoOptions _options;
    private readonly List<SharedType> _scope = [];
    private readonly HashSet<object> _trackedOrigins = [];
    private readonly List<StackItem> _undoStack = [], _redoStack = [];
    private readonly HandlerList<StackItemEvent> _added = new(), _updated = new(), _popped = new();
    private readonly IDisposable _transactions, _destroy;
    private readonly bool _watchesAll;
    private bool _tracksNull;
    private UndoDirection? _running;
    private long? _lastChange;

    /// <summary>Watches types of one document.</summary>
    /// <param name="scope">The types, at least one.</param>
    /// <exception cref="ArgumentException">There is no type, one is in no document, or they are in several.</exception>
    public UndoManager(params IReadOnlyList<SharedType> scope)
        : this(scope, new UndoOptions())
    {
    }

    /// <summary>Watches types of one document.</summary>
    /// <param name="scope">The types, at least one.</param>
    /// <param name="options">How it is to work.</param>
    /// <exception cref="ArgumentException">There is no type, one is in no document, or they are in several.</exception>
    public UndoManager(IReadOnlyList<SharedType> scope, UndoOptions options)
    {
        ArgumentNullException.ThrowIfNull(scope);
        ArgumentNullException.ThrowIfNull(options);
        Doc = scope.Count > 0 && scope[0].Doc is { } doc
            ? doc
            : throw new ArgumentException("An undo manager needs types that are in a document.", nameof(scope));
        _options = options;
        foreach (var type in scope)
            AddScope(type);
        foreach (var origin in options.TrackedOrigins)
            AddTrackedOrigin(origin);
        AddTrackedOrigin(this);
        _transactions = Doc.ObserveAfterTransaction(AfterTransaction);
        _destroy = Doc.ObserveDestroy(_ => Dispose());
    }

    private UndoManager(Doc doc, UndoOptions options)
    {
        (Doc, _options, _watchesAll) = (doc, options, true);
        _transactions = Doc.ObserveAfterTransaction(AfterTransaction);
        _destroy = Doc.ObserveDestroy(_ => Dispose());
    }

    /// <summary>
    /// Watches a whole document, and takes all that is changed here, whatever its origin: what <see cref="Doc.ApplyV1"/> brings is others'.
    /// </summary>
    /// <param name="doc">The document.</param>
    /// <param name="options">How it is to work; its tracked origins are passed over.</param>
    public static UndoManager OfAll(Doc doc, UndoOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(doc);
        return new UndoManager(doc, options ?? new UndoOptions());
    }

    /// <summary>The document.</summary>
    public Doc Doc { get; }

    /// <summary>The steps that can be undone, the last one last.</summary>
    public IReadOnlyList<StackItem> UndoStack => _undoStack;

    /// <summary>The steps that can be done again, the next one last.</summary>
    public IReadOnlyList<StackItem> RedoStack => _redoStack;

    /// <summary>True when there is something to undo.</summary>
    public bool CanUndo => _undoStack.Count > 0;

    /// <summary>True when there is something to do again.</summary>
    public bool CanRedo => _redoStack.Count > 0;

    /// <summary>Watches one more type.</summary>
    /// <param name="type">A type of the same document.</param>
    /// <exception cref="ArgumentException">It is in no document, or in another one.</exception>
    public void AddScope(SharedType type)
    {
        ArgumentNullException.ThrowIfNull(type);
        if (type.Doc != Doc)
            throw new ArgumentException("The type is not in the document of the undo manager.", nameof(type));
        if (!_scope.Contains(type))
            _scope.Add(type);
    }

    /// <summary>Takes transactions of one more origin.</summary>
    /// <param name="origin">The origin; a <see cref="Type"/> stands for all origins of that class.</param>
    public void AddTrackedOrigin(object? origin)
    {
        if (origin is null)
            _tracksNull = true;
        else
            _trackedOrigins.Add(origin);
    }

    /// <summary>Takes transactions of an origin no longer.</summary>
    /// <param name="origin">The origin.</param>
    public void RemoveTrackedOrigin(object? origin)
    {
        if (origin is null)
            _tracksNull = false;
        else
            _trackedOrigins.Remove(origin);
    }

    /// <summary>Calls <paramref name="handler"/> when a step has come onto a stack.</summary>
    /// <returns>Disposing it ends the subscription.</returns>
    public IDisposable ObserveStackItemAdded(Action<StackItemEvent> handler) => _added.Add(handler);

    /// <summary>Calls <paramref name="handler"/> when a change was added to the last step.</summary>
    /// <inheritdoc cref="ObserveStackItemAdded"/>
    public IDisposable ObserveStackItemUpdated(Action<StackItemEvent> handler) => _updated.Add(handler);

    /// <summary>Calls <paramref name="handler"/> when a step was undone or done again.</summary>
    /// <inheritdoc cref="ObserveStackItemAdded"/>
    public IDisposable ObserveStackItemPopped(Action<StackItemEvent> handler) => _popped.Add(handler);

    /// <summary>Undoes the last step that still has an effect.</summary>
    /// <returns>The step; null when there was nothing to undo.</returns>
    /// <exception cref="InvalidOperationException">A transaction is open.</exception>
    public StackItem? Undo() => Run(UndoDirection.Undo, _undoStack);

    /// <summary>Undoes one step, wherever it stands, and leaves those after it. It cannot be done again.</summary>
    /// <param name="step">A step of <see cref="UndoStack"/>.</param>
    /// <returns>False when it is none, or has no effect any more.</returns>
    /// <exception cref="InvalidOperationException">A transaction is open.</exception>
    public bool Undo(StackItem step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (!_undoStack.Contains(step))
            return false;
        var redo = _redoStack.ToArray();
        var changed = Run(UndoDirection.Undo, [step]) is not null;
        _undoStack.Remove(step);
        _redoStack.Clear();
        _redoStack.AddRange(redo);
        return changed;
    }

    /// <summary>Forgets one step, so that what it would bring back can be collected.</summary>
    /// <param name="step">A step of <see cref="UndoStack"/>; others are passed over.</param>
    public void Forget(StackItem step)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (!_undoStack.Remove(step))
            return;
        using var scope = Doc.Write();
        Release(scope.Transaction, [step]);
    }

    /// <summary>Does again what was undone last.</summary>
    /// <returns>The step; null when there was nothing to do again.</returns>
    /// <exception cref="InvalidOperationException">A transaction is open.</exception>
    public StackItem? Redo() => Run(UndoDirection.Redo, _redoStack);

    /// <summary>Makes the next change a step of its own, however soon it comes.</summary>
    public void StopCapturing() => _lastChange = null;

    /// <summary>Forgets all steps, so that what they would bring back can be collected.</summary>
    public void Clear() => Clear(undo: true, redo: true);

    /// <summary>Stops watching. What was deleted is kept as it is for steps that are not cleared.</summary>
    public void Dispose()
    {
        _transactions.Dispose();
        _destroy.Dispose();
    }

    /// <summary>True when a block is in one of the types watched.</summary>
    private bool IsInScope(BlockStore store, int handle)
    {
        if (_watchesAll)
            return true;
        while (handle != 0 && !store[handle].IsGc)
        {
            var parent = store.ParentOf(store[handle]);
            foreach (var type in _scope)
            {
                if (type.Branch == parent)
                    return true;
            }
            handle = parent.Item;
        }
        return false;
    }

    private StackItem? Run(UndoDirection direction, List<StackItem> stack)
    {
        StackItem? done = null;
        _running = direction;
        try
        {
            using var transaction = Doc.Begin(origin: this, local: true);
            while (done is null && stack.Count > 0)
            {
                var item = stack[^1];
                stack.RemoveAt(stack.Count - 1);
                if (Revert(transaction, item))
                    done = item;
            }
        }
        finally
        {
            _running = null;
        }
        if (done is not null)
            Tell(_popped, new StackItemEvent(done, direction, this));
        return done;
    }

    /// <summary>Deletes what a step has inserted and inserts again what it has deleted; false when that changes nothing.</summary>
    private bool Revert(Transaction transaction, StackItem item)
    {
        var store = transaction.Store;
        var toDelete = new List<int>();
        BlockRanges.ForEach(transaction, item.Insertions, handle =>
        {
            if (store[handle].IsGc)
                return;
            if (store[handle].IsRedone)
                handle = Redoing.Follow(transaction, handle);
            if (!store[handle].IsDeleted && IsInScope(store, handle))
                toDelete.Add(handle);
        });
        var toRedo = new OrderedDictionary<int, bool>();
        BlockRanges.ForEach(transaction, item.Deletions, handle =>
        {
            if (!store[handle].IsGc && IsInScope(store, handle) && !item.Insertions.Contains(store[handle].Id))
                toRedo[handle] = true;
        });

        var redoing = new Redoing(transaction, toRedo.ContainsKey, id => IsUndoDelete(item, id), _options.IgnoreRemoteMapChanges);
        var changed = false;
        foreach (var handle in toRedo.Keys)
            changed |= redoing.Redo(handle) != 0;
        for (var i = toDelete.Count - 1; i >= 0; i--)
        {
            Deletion.Delete(transaction, toDelete[i]);
            changed = true;
        }
        return changed;
    }

    /// <summary>True when a value was set by the step itself, or deleted by one of the steps on the stacks.</summary>
    private bool IsUndoDelete(StackItem item, BlockId id) =>
        item.Insertions.Contains(id) || _undoStack.Exists(step => step.Deletions.Contains(id)) || _redoStack.Exists(step => step.Deletions.Contains(id));

    private void AfterTransaction(Transaction transaction)
    {
        if (!_options.CaptureTransaction(transaction) || !IsTracked(transaction) || !HasChanged(transaction))
            return;
        var stack = _running == UndoDirection.Undo ? _redoStack : _undoStack;
        if (_running == UndoDirection.Undo)
            StopCapturing();
        else if (_running is null)
            Clear(undo: false, redo: true);

        var insertions = new RangeSet();
        foreach (var (client, before, after) in transaction.Inserted)
            insertions.Add(client, before, after - before);
        var now = _options.Time.GetTimestamp();
        var joins = _running is null && stack.Count > 0 && _lastChange is { } last
            && _options.Time.GetElapsedTime(last, now) < _options.CaptureTimeout;
        if (joins)
        {
            stack[^1].Deletions.AddAll(transaction.Deletes);
            stack[^1].Insertions.AddAll(insertions);
        }
        else
        {
            var deletions = new RangeSet();
            deletions.AddAll(transaction.Deletes);
            stack.Add(new StackItem(insertions, deletions));
        }
        if (_running is null)
            _lastChange = now;
        BlockRanges.ForEach(transaction, transaction.Deletes, handle =>
        {
            if (!transaction.Store[handle].IsGc && IsInScope(transaction.Store, handle))
                Redoing.Keep(transaction.Store, handle, keep: true);
        });
        var direction = _running == UndoDirection.Undo ? UndoDirection.Redo : UndoDirection.Undo;
        Tell(joins ? _updated : _added, new StackItemEvent(stack[^1], direction, transaction.Origin));
    }

    private bool HasChanged(Transaction transaction) => _watchesAll
        ? transaction.Inserted.Count > 0 || !transaction.Deletes.IsEmpty
        : _scope.Exists(type => transaction.HasChangedWithin(type.Branch!));

    private bool IsTracked(Transaction transaction) => _watchesAll
        ? transaction.Local
        : transaction.Origin is not { } origin ? _tracksNull : _trackedOrigins.Contains(origin) || _trackedOrigins.Contains(origin.GetType());

    private void Clear(bool undo, bool redo)
    {
        if (!(undo && CanUndo) && !(redo && CanRedo))
            return;
        using var scope = Doc.Write();
        if (undo)
            Release(scope.Transaction, _undoStack);
        if (redo)
            Release(scope.Transaction, _redoStack);
    }

    private void Release(Transaction transaction, List<StackItem> stack)
    {
        foreach (var item in stack)
        {
            BlockRanges.ForEach(transaction, item.Deletions, handle =>
            {
                if (!transaction.Store[handle].IsGc && IsInScope(transaction.Store, handle))
                    Redoing.Keep(transaction.Store, handle, keep: false);
            });
        }
        stack.Clear();
    }

    private static void Tell(HandlerList<StackItemEvent> handlers, StackItemEvent happened)
    {
        List<Exception>? failures = null;
        handlers.Invoke(happened, ref failures);
        if (failures is not null)
            throw new AggregateException("Handlers of the undo manager's events have failed.", failures);
    }
}
