using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Collab.Crdt;

/// <summary>
/// A shared document: named roots of shared types, which every replica may edit at any time, and which all show the same once
/// they have the same updates. Compatible with yjs 13.6 byte for byte.
/// </summary>
/// <remarks>
/// Not safe for use by two threads at once: that is noticed and answered with an <see cref="InvalidOperationException"/>.
/// Every edit outside a transaction is a transaction of its own.
/// </remarks>
public sealed partial class Doc : IDisposable
{
    private readonly UpdateLimits _limits;
    private readonly long _maxSteps;
    private int _ownClient = -1;

    /// <summary>Makes an empty document.</summary>
    public Doc()
        : this(new DocOptions())
    {
    }

    /// <summary>Makes an empty document.</summary>
    /// <param name="options">How it is to be.</param>
    public Doc(DocOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.ClientId > Lib0Reader.MaxSafeInteger)
            throw new ArgumentOutOfRangeException(nameof(options), "A client id has at most 53 bits.");
        Store = new BlockStore(this);
        _limits = options.Limits;
        _maxSteps = options.MaxSteps;
        ClientId = options.ClientId ?? NewClientId();
        Guid = options.Guid ?? System.Guid.NewGuid().ToString();
        CollectionId = options.CollectionId;
        Gc = options.Gc;
        CleanFormats = options.CleanFormats;
        AutoLoad = options.AutoLoad;
        ShouldLoad = options.ShouldLoad;
        Meta = options.Meta;
    }

    /// <summary>
    /// The client id under which this replica inserts, up to 53 bits. It changes by itself when updates show that somebody else
    /// uses the same.
    /// </summary>
    public ulong ClientId
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, Lib0Reader.MaxSafeInteger);
            field = value;
            _ownClient = -1;
        }
    }

    /// <summary>The name under which providers and parents know the document.</summary>
    [SuppressMessage("Naming", "CA1720", Justification = "The name that yjs has for it.")]
    public string Guid { get; }

    /// <summary>The collection that a provider keeps the document in; a subdocument takes over that of its parent.</summary>
    public string? CollectionId { get; private set; }

    /// <summary>Whether the content of what is deleted is dropped.</summary>
    public bool Gc { get; }

    /// <summary>Whether marks that have become needless are deleted after remote changes.</summary>
    public bool CleanFormats { get; }

    /// <summary>The names of the root types, in the order in which they were made.</summary>
    public IReadOnlyCollection<string> RootNames => [.. Store.Roots.Keys];

    internal BlockStore Store { get; }

    internal PendingUpdates Pending { get; } = new();

    /// <summary>A buffer for whoever writes within a transaction.</summary>
    internal Lib0Writer Writer { get; } = new(256);

    /// <summary>The root text of a name, made when there is none.</summary>
    /// <param name="name">The name.</param>
    /// <exception cref="InvalidOperationException">The name is taken by a root of another type.</exception>
    public Text GetText(string name = "") => (Text)Root(name, TypeKind.Text);

    /// <summary>The root array of a name, made when there is none.</summary>
    /// <inheritdoc cref="GetText"/>
    public YArray GetArray(string name = "") => (YArray)Root(name, TypeKind.Array);

    /// <summary>The root map of a name, made when there is none.</summary>
    /// <inheritdoc cref="GetText"/>
    public Map GetMap(string name = "") => (Map)Root(name, TypeKind.Map);

    /// <summary>The root XML fragment of a name, made when there is none.</summary>
    /// <inheritdoc cref="GetText"/>
    public XmlFragment GetXmlFragment(string name = "") => (XmlFragment)Root(name, TypeKind.XmlFragment);

    /// <summary>All roots whose type is known, by name, as plain values.</summary>
    public Any ToJson()
    {
        CheckReadable();
        var json = new OrderedDictionary<string, Any>();
        foreach (var (name, root) in Store.Roots)
            json[name] = root.Kind == TypeKind.Untyped ? Any.Undefined : SharedType.ViewOf(root).ToJson();
        return Any.FromObject(json);
    }

    /// <summary>The same as <see cref="Destroy"/>.</summary>
    public void Dispose() => Destroy();

    /// <summary>The clock that the next unit inserted here gets.</summary>
    internal BlockId NextId()
    {
        if (_ownClient < 0)
            _ownClient = Store.Client(ClientId);
        return new BlockId(_ownClient, Store.State(_ownClient));
    }

    internal bool TryGetOwnClient(out int client) => Store.TryGetClient(ClientId, out client);

    internal void TakeNewClientId() => ClientId = NewClientId();

    private SharedType Root(string name, TypeKind kind)
    {
        ArgumentNullException.ThrowIfNull(name);
        CheckReadable();
        var root = Store.Root(name);
        if (root.Kind == TypeKind.Untyped)
        {
            root.Kind = kind;
            // As in yjs, where a root that gets its type only now forgets that it has formats.
            root.HasFormatting = false;
        }
        else if (root.Kind != kind)
        {
            throw new InvalidOperationException($"The root is already a {root.Kind}; a name has one type.");
        }
        return SharedType.ViewOf(root);
    }

    private static ulong NewClientId() => (uint)RandomNumberGenerator.GetInt32(int.MinValue, int.MaxValue);
}
