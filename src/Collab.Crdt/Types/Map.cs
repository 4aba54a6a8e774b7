using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Collab.Crdt;

/// <summary>
/// Shared entries by name (yjs <c>Y.Map</c>). When two replicas set the same key at once, both end up with the same one of the two.
/// </summary>
[SuppressMessage("Naming", "CA1710", Justification = "A map is what it is called wherever Yjs is known.")]
public sealed class Map : SharedType, IReadOnlyDictionary<string, Any>
{
    /// <summary>Makes an empty map, to be inserted into a document.</summary>
    public Map()
        : this(TypeKind.Map, null)
    {
    }

    /// <summary>Makes a map, to be inserted into a document.</summary>
    /// <param name="entries">What it begins with.</param>
    public Map(IEnumerable<KeyValuePair<string, Any>> entries)
        : this()
    {
        ArgumentNullException.ThrowIfNull(entries);
        foreach (var (key, value) in entries)
            Set(key, value);
    }

    // XML hooks, which no editor makes any more, are maps with a name.
    internal Map(TypeKind kind, string? name)
    {
        Kind = kind;
        NodeName = name;
    }

    /// <summary>How many entries there are.</summary>
    public int Count => Branch is null ? 0 : MapEditor.Entries(Read()).Count();

    /// <summary>The keys, in the order in which they first came.</summary>
    public IEnumerable<string> Keys => MapEditor.Entries(Read()).Select(entry => entry.Key);

    /// <summary>The values, in the order in which their keys first came.</summary>
    public IEnumerable<Any> Values => MapEditor.Entries(Read()).Select(entry => entry.Value);

    internal override TypeKind Kind { get; }

    internal override string? NodeName { get; }

    /// <summary>The value of a key; undefined when there is none.</summary>
    public Any this[string key]
    {
        get => TryGetValue(key, out var value) ? value : default;
        set => Set(key, value);
    }

    /// <summary>Sets the value of a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">A value, a shared type or a subdocument.</param>
    public void Set(string key, Any value) => SetEntry(key, value);

    /// <summary>Removes an entry.</summary>
    /// <param name="key">The key.</param>
    /// <returns>False when there was none, or when the map is in no document yet.</returns>
    public bool Remove(string key) => RemoveEntry(key);

    /// <summary>Removes all entries.</summary>
    public void Clear()
    {
        if (Waits(Clear))
            return;
        using var scope = Write();
        foreach (var key in Keys.ToArray())
            MapEditor.Remove(scope.Transaction, Branch!, key);
    }

    /// <inheritdoc/>
    public bool ContainsKey(string key) => TryGetValue(key, out _);

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out Any value) => MapEditor.TryGet(Read(), key, out value);

    /// <summary>The entries that the map had at a snapshot, in the order in which their keys first came. Shared types among them are as they are now.</summary>
    /// <param name="snapshot">The state to show.</param>
    public IReadOnlyDictionary<string, Any> EntriesAt(Snapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return SnapshotContent.EntriesOf(Read(), snapshot);
    }

    /// <inheritdoc/>
    public override Any ToJson()
    {
        var json = new OrderedDictionary<string, Any>();
        foreach (var (key, value) in this)
            json[key] = TypeJson.Of(value);
        return Any.FromObject(json);
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, Any>> GetEnumerator() => MapEditor.Entries(Read()).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
