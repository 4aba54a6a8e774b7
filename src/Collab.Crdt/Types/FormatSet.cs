using System.Globalization;

namespace Collab.Crdt;

/// <summary>
/// Attributes by key, in the order in which JavaScript keeps them: what yjs writes depends on it. A key that is set again
/// keeps its place.
/// </summary>
internal sealed class FormatSet
{
    // Most places have none.
    private OrderedDictionary<string, Any>? _values;

    public bool IsEmpty => _values is not { Count: > 0 };

    public FormatSet()
    {
    }

    public FormatSet(IEnumerable<KeyValuePair<string, Any>> values)
    {
        foreach (var (key, value) in values)
            Set(key, value);
    }

    /// <summary>The value of a key; null when it has none, or when that is undefined.</summary>
    public Any ValueOrNull(string key) => TryGet(key, out var value) && !value.IsUndefined ? value : Any.Null;

    public bool TryGet(string key, out Any value)
    {
        value = default;
        return _values is not null && _values.TryGetValue(key, out value);
    }

    public void Set(string key, in Any value) => (_values ??= [])[key] = value;

    public void Remove(string key) => _values?.Remove(key);

    public FormatSet Copy() => new(InOrderOfAdding);

    /// <summary>Takes over what a mark says: from here on a key has a value, or none.</summary>
    public void Apply(FormatMark mark)
    {
        if (mark.Value.Kind == AnyKind.Null)
            Remove(mark.Key);
        else
            Set(mark.Key, mark.Value);
    }

    /// <summary>The entries as a JavaScript <c>Map</c> has them: as they were added.</summary>
    public IEnumerable<KeyValuePair<string, Any>> InOrderOfAdding => _values ?? [];

    /// <summary>The entries as a JavaScript object has them: keys that are array indexes come first, ascending.</summary>
    public IEnumerable<KeyValuePair<string, Any>> AsObject
    {
        get
        {
            foreach (var (key, _) in InOrderOfAdding)
            {
                if (IsArrayIndex(key, out _))
                    return [.. InOrderOfAdding.OrderBy(entry => IsArrayIndex(entry.Key, out var index) ? index : uint.MaxValue)];
            }
            return InOrderOfAdding;
        }
    }

    /// <summary>Equal as yjs compares attribute values: objects by their members one deep, what is nested by identity.</summary>
    public static bool ValuesEqual(in Any a, in Any b)
    {
        if (a.StrictEquals(b))
            return true;
        if (a.Kind == AnyKind.Object && b.Kind == AnyKind.Object)
        {
            var (left, right) = (a.AsObject(), b.AsObject());
            return left.Count == right.Count
                && left.All(entry => right.TryGetValue(entry.Key, out var value) && entry.Value.StrictEquals(value));
        }
        if (a.Kind == AnyKind.Array && b.Kind == AnyKind.Array)
        {
            var (left, right) = (a.AsArray(), b.AsArray());
            return left.Count == right.Count && left.Zip(right).All(pair => pair.First.StrictEquals(pair.Second));
        }
        return a.Kind == AnyKind.Bytes && b.Kind == AnyKind.Bytes && a.AsBytes().Span.SequenceEqual(b.AsBytes().Span);
    }

    private static bool IsArrayIndex(string key, out uint index) =>
        uint.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out index) && index < uint.MaxValue && (key.Length == 1 || key[0] != '0');
}
