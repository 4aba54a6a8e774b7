namespace Collab.Crdt;

/// <summary>
/// What a document consists of: texts, arrays, maps and XML nodes. One that was made with <c>new</c> belongs to no document
/// until it is inserted into one; until then it only takes what it is to begin with.
/// </summary>
public abstract class SharedType
{
    private List<Action>? _whenInserted;

    private protected SharedType()
    {
    }

    /// <summary>The document; null before the type is inserted into one.</summary>
    public Doc? Doc => Branch?.Doc;

    /// <summary>The type that holds this one; null for a root and before it is inserted.</summary>
    public SharedType? Parent => Branch is { IsRoot: false, IsCollected: false } branch ? ViewOf(Store.ParentOf(Store[branch.Item])) : null;

    /// <summary>True when it was deleted, or something that holds it.</summary>
    public bool IsDeleted => Branch is { } branch && (branch.IsCollected || (!branch.IsRoot && Store[branch.Item].IsDeleted));

    /// <summary>What it consists of; null before it is inserted into a document.</summary>
    internal Branch? Branch { get; private set; }

    internal abstract TypeKind Kind { get; }

    /// <summary>The name of an XML element.</summary>
    internal virtual string? NodeName => null;

    internal BlockStore Store => Branch!.Doc.Store;

    /// <summary>The type and all within it as plain values.</summary>
    public abstract Any ToJson();

    /// <summary>Calls <paramref name="handler"/> after each transaction that has changed this type itself.</summary>
    /// <returns>Disposing it ends the subscription.</returns>
    /// <exception cref="InvalidOperationException">The type is in no document yet.</exception>
    public IDisposable Observe(Action<TypeEvent> handler) => (Inserted().Observers ??= new()).Add(handler);

    /// <summary>
    /// Calls <paramref name="handler"/> after each transaction that has changed this type or one within it, with an event for
    /// each changed type, the outer ones first.
    /// </summary>
    /// <inheritdoc cref="Observe"/>
    public IDisposable ObserveDeep(Action<IReadOnlyList<TypeEvent>> handler) => (Inserted().DeepObservers ??= new()).Add(handler);

    /// <summary>The class for what is in a branch.</summary>
    internal static SharedType ViewOf(Branch branch)
    {
        if (branch.View is { } view)
            return view;
        view = New(branch.Kind, branch.Name);
        view.Branch = branch;
        return branch.View = view;
    }

    /// <summary>What is in a branch, seen as a kind that it need not have; for reading alone.</summary>
    internal static SharedType ViewAs(Branch branch, TypeKind kind)
    {
        var view = New(kind, branch.Name);
        view.Branch = branch;
        return view;
    }

    /// <summary>A fresh, empty type of the same kind (yjs <c>_copy</c>).</summary>
    internal static SharedType New(TypeKind kind, string? name) => kind switch
    {
        TypeKind.Array => new YArray(),
        TypeKind.Map or TypeKind.XmlHook => new Map(kind, name),
        TypeKind.Text => new Text(),
        TypeKind.XmlText => new XmlText(),
        TypeKind.XmlElement => new XmlElement(name ?? "UNDEFINED"),
        TypeKind.XmlFragment => new XmlFragment(),
        _ => throw new InvalidOperationException("The root has no type yet. Get it by its type first."),
    };

    /// <summary>Gives a type that was made with <c>new</c> its branch in a document.</summary>
    internal Branch Attach(BlockStore store)
    {
        if (Branch is not null)
            throw new InvalidOperationException("The type is in a document already. A type cannot be inserted twice.");
        Branch = store.NewBranch(Kind, NodeName);
        Branch.View = this;
        return Branch;
    }

    /// <summary>Inserts what the type was given before it was in a document.</summary>
    internal void InsertWhatWaits()
    {
        if (_whenInserted is not { } actions)
            return;
        _whenInserted = null;
        foreach (var action in actions)
            action();
    }

    /// <summary>Keeps an edit until the type is in a document; false when it is in one.</summary>
    private protected bool Waits(Action edit)
    {
        if (Branch is not null)
            return false;
        (_whenInserted ??= []).Add(edit);
        return true;
    }

    /// <summary>Begins an edit.</summary>
    private protected WriteScope Write()
    {
        var branch = Inserted();
        if (branch.IsCollected)
            throw new InvalidOperationException("The type was deleted.");
        return branch.Doc.Write();
    }

    /// <summary>The value of an entry or attribute; undefined when there is none.</summary>
    private protected Any GetEntry(string key) => MapEditor.TryGet(Read(), key, out var value) ? value : default;

    /// <summary>Sets an entry or an attribute.</summary>
    private protected void SetEntry(string key, Any value)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (Branch is null)
        {
            SetEntryLater(key, value);
            return;
        }
        using var scope = Write();
        MapEditor.Set(scope.Transaction, Branch, key, value);
    }

    /// <summary>Removes an entry or an attribute; false when there was none, or when the type is in no document yet.</summary>
    private protected bool RemoveEntry(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (Branch is null)
        {
            RemoveEntryLater(key);
            return false;
        }
        using var scope = Write();
        return MapEditor.Remove(scope.Transaction, Branch, key);
    }

    // In methods of their own, so that an edit of a type in a document makes no closure.
    private void SetEntryLater(string key, Any value) => Waits(() => SetEntry(key, value));

    private void RemoveEntryLater(string key) => Waits(() => RemoveEntry(key));

    /// <summary>The branch, for reading.</summary>
    private protected Branch Read()
    {
        var branch = Inserted();
        branch.Doc.CheckReadable();
        return branch;
    }

    private protected Branch Inserted() =>
        Branch ?? throw new InvalidOperationException("The type is in no document yet. Insert it into one first.");
}
