namespace Collab.Crdt;

public sealed partial class Doc
{
    private readonly HashSet<Doc> _subDocs = [];

    // The document and the block that hold this one, when it is a subdocument.
    private Doc? _parent;
    private int _item;

    /// <summary>For a subdocument: whether it is loaded on every replica as soon as it comes.</summary>
    public bool AutoLoad { get; }

    /// <summary>For a subdocument: whether a provider should load it.</summary>
    public bool ShouldLoad { get; private set; }

    /// <summary>For a subdocument: whatever the application wants to tell of it; null when there is nothing.</summary>
    public Any Meta { get; }

    /// <summary>The documents that are part of this one.</summary>
    public IReadOnlySet<Doc> SubDocs => _subDocs;

    /// <summary>The guids of the documents that are part of this one.</summary>
    public IReadOnlySet<string> SubDocGuids => _subDocs.Select(doc => doc.Guid).ToHashSet();

    /// <summary>True after <see cref="Destroy"/>.</summary>
    public bool IsDestroyed { get; private set; }

    /// <summary>Calls <paramref name="handler"/> after transactions in which subdocuments have come, gone or are to be loaded.</summary>
    /// <inheritdoc cref="ObserveUpdatesV1"/>
    public IDisposable ObserveSubDocs(Action<SubDocsEvent> handler) => SubDocsHandlers.Add(handler);

    /// <summary>Calls <paramref name="handler"/> when the document is destroyed.</summary>
    /// <inheritdoc cref="ObserveUpdatesV1"/>
    public IDisposable ObserveDestroy(Action<Doc> handler) => DestroyHandlers.Add(handler);

    /// <summary>For a subdocument: asks the providers of the parent to load it.</summary>
    public void Load()
    {
        if (_parent is { } parent && !ShouldLoad)
        {
            using var scope = parent.Write();
            SubDocsOf(scope.Transaction).Loaded.Add(this);
        }
        ShouldLoad = true;
    }

    /// <summary>
    /// Tells providers and handlers that the document is not used any more. A subdocument is replaced in its parent by a fresh
    /// one, which can be loaded again.
    /// </summary>
    public void Destroy()
    {
        if (IsDestroyed)
            return;
        IsDestroyed = true;
        foreach (var subDoc in _subDocs.ToArray())
            subDoc.Destroy();
        if (_parent is { } parent)
        {
            var item = _item;
            (_parent, _item) = (null, 0);
            ref var block = ref parent.Store[item];
            if (block.Kind == StructKind.Doc && ReferenceEquals(parent.Store.Values[block.Content].Reference, this))
            {
                var fresh = FromContent(Guid, ContentOptions(), shouldLoad: false);
                (fresh._parent, fresh._item) = (parent, item);
                parent.Store.Values[block.Content] = fresh;
                using var scope = parent.Write();
                var changes = SubDocsOf(scope.Transaction);
                if (!block.IsDeleted)
                    changes.Added.Add(fresh);
                changes.Removed.Add(this);
            }
        }
        List<Exception>? failures = null;
        DestroyHandlers.Invoke(this, ref failures);
        if (failures is not null)
            throw new AggregateException("Handlers of the document's events have failed.", failures);
    }

    /// <summary>The document that a block holds, from its guid and options.</summary>
    internal static Doc FromContent(string guid, Any options) => FromContent(guid, options, shouldLoad: null);

    /// <summary>What the block that holds this document says of it, beside the guid.</summary>
    internal Any ContentOptions()
    {
        var options = new OrderedDictionary<string, Any>();
        if (!Gc)
            options["gc"] = false;
        if (AutoLoad)
            options["autoLoad"] = true;
        if (Meta.Kind != AnyKind.Null)
            options["meta"] = Meta;
        return Any.FromObject(options);
    }

    /// <summary>A fresh document with the guid and the options of this one.</summary>
    internal Doc Copy() => FromContent(Guid, ContentOptions());

    internal void AddSubDoc(Transaction transaction, Doc subDoc, int item)
    {
        (subDoc._parent, subDoc._item) = (this, item);
        var changes = SubDocsOf(transaction);
        changes.Added.Add(subDoc);
        if (subDoc.ShouldLoad)
            changes.Loaded.Add(subDoc);
    }

    internal static void RemoveSubDoc(Transaction transaction, Doc subDoc)
    {
        var changes = SubDocsOf(transaction);
        if (!changes.Added.Remove(subDoc))
            changes.Removed.Add(subDoc);
    }

    internal void ApplySubDocChanges(Transaction transaction, SubDocChanges changes, ref List<Exception>? failures)
    {
        foreach (var added in changes.Added)
        {
            added.ClientId = ClientId;
            added.CollectionId ??= CollectionId;
            _subDocs.Add(added);
        }
        _subDocs.ExceptWith(changes.Removed);
        SubDocsHandlers.Invoke(new SubDocsEvent(changes.Added, changes.Removed, changes.Loaded, transaction), ref failures);
        foreach (var removed in changes.Removed)
            removed.Destroy();
    }

    private static Doc FromContent(string guid, Any options, bool? shouldLoad)
    {
        var map = options.Kind == AnyKind.Object ? options.AsObject() : new OrderedDictionary<string, Any>();
        bool Is(string name, bool value) => map.TryGetValue(name, out var option) && option.Kind == AnyKind.Boolean && option.AsBoolean() == value;
        return new Doc(new DocOptions
        {
            Guid = guid,
            Gc = !Is("gc", false),
            AutoLoad = Is("autoLoad", true),
            ShouldLoad = shouldLoad ?? (Is("shouldLoad", true) || Is("autoLoad", true)),
            Meta = map.TryGetValue("meta", out var meta) ? meta : Any.Null,
        });
    }

    private static SubDocChanges SubDocsOf(Transaction transaction) => transaction.SubDocs ??= new SubDocChanges();
}
