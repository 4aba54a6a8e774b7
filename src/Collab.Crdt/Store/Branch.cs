namespace Collab.Crdt;

/// <summary>The shared types by their number in the format; a root is <see cref="Untyped"/> until the application says what it is.</summary>
internal enum TypeKind : byte
{
    Array = 0,
    Map = 1,
    Text = 2,
    XmlElement = 3,
    XmlFragment = 4,
    XmlHook = 5,
    XmlText = 6,
    Untyped = 15,
}

/// <summary>
/// What a shared type consists of, apart from the class through which an application sees it: a list of blocks, and for each
/// key the last block set (yjs <c>AbstractType</c>).
/// </summary>
internal sealed class Branch(Doc doc, int index, TypeKind kind, string? name)
{
    // Only of keys that have more than one block; of the others the last is the first.
    private Dictionary<int, int>? _firstOfKey;

    public Doc Doc { get; } = doc;

    /// <summary>Its place in <see cref="BlockStore.Branches"/>.</summary>
    public int Index { get; } = index;

    public TypeKind Kind { get; set; } = kind;

    /// <summary>The name of a root, or of an XML element.</summary>
    public string? Name { get; } = name;

    /// <summary>The block that holds the type; 0 for a root.</summary>
    public int Item { get; set; }

    /// <summary>The first block of the list.</summary>
    public int Start { get; set; }

    /// <summary>The visible units of the list.</summary>
    public uint Length { get; set; }

    /// <summary>The last block of each key, by the key's index in <see cref="BlockStore.Keys"/>, in the order in which keys first came.</summary>
    public OrderedDictionary<int, int>? Map { get; private set; }

    /// <summary>Finds blocks by position; made when a position is first looked up in a long list.</summary>
    public PositionIndex? Positions { get; set; }

    /// <summary>Finds the attributes that hold at a place; made, beside the positions, when they are first looked up in a long text.</summary>
    public FormatIndex? Formats { get; set; }

    /// <summary>True once a mark was ever inserted.</summary>
    public bool HasMarks { get; set; }

    /// <summary>True once a mark was inserted into the type under its present kind, which is when yjs begins to clean up.</summary>
    public bool HasFormatting { get; set; }

    /// <summary>True once it was deleted and what was in it collected: nothing can be done with it any more.</summary>
    public bool IsCollected { get; private set; }

    /// <summary>The class through which an application sees it, once it has asked for it.</summary>
    public SharedType? View { get; set; }

    /// <summary>Who watches this type, and who watches it and all within.</summary>
    public HandlerList<TypeEvent>? Observers { get; set; }

    /// <inheritdoc cref="Observers"/>
    public HandlerList<IReadOnlyList<TypeEvent>>? DeepObservers { get; set; }

    public bool IsRoot => Item == 0;

    public int LastOfKey(int key) => Map is { } map && map.TryGetValue(key, out var block) ? block : 0;

    public void SetLastOfKey(int key, int block)
    {
        Map ??= [];
        if (Map.TryGetValue(key, out var before) && before != block)
            (_firstOfKey ??= []).TryAdd(key, before);
        Map[key] = block;
    }

    /// <summary>The first block of a key, so that one that is to stand before all others need not walk past them.</summary>
    public int FirstOfKey(int key) => _firstOfKey is { } first && first.TryGetValue(key, out var block) ? block : LastOfKey(key);

    public void SetFirstOfKey(int key, int block) => (_firstOfKey ??= [])[key] = block;

    /// <summary>Forgets everything that was in it.</summary>
    public void Collect()
    {
        Start = 0;
        Length = 0;
        Map = null;
        _firstOfKey = null;
        Positions = null;
        Formats = null;
        IsCollected = true;
    }
}
