namespace Collab.Crdt;

/// <summary>What happened to a key.</summary>
public enum KeyAction
{
    /// <summary>It has a value now and had none.</summary>
    Add,

    /// <summary>It has another value.</summary>
    Update,

    /// <summary>It has no value any more.</summary>
    Delete,
}

/// <summary>The change of a map entry or an attribute.</summary>
/// <param name="Action">What happened.</param>
/// <param name="OldValue">The value before; undefined when there was none.</param>
public readonly record struct KeyChange(KeyAction Action, Any OldValue);

/// <summary>
/// How a transaction has changed one shared type (yjs <c>YEvent</c>). What it tells must be read while its handler runs; what
/// was read stays.
/// </summary>
public sealed class TypeEvent
{
    private readonly ChangedType _changed;
    private IReadOnlyList<Delta>? _delta;
    private IReadOnlyDictionary<string, KeyChange>? _keys;
    private IReadOnlyList<Any>? _path;

    internal TypeEvent(Transaction transaction, ChangedType changed)
    {
        Transaction = transaction;
        _changed = changed;
        Target = CurrentTarget = SharedType.ViewOf(changed.Branch);
    }

    /// <summary>The type that has changed.</summary>
    public SharedType Target { get; }

    /// <summary>The type that is observed: the target, or one that holds it.</summary>
    public SharedType CurrentTarget { get; private set; }

    /// <summary>The transaction.</summary>
    public Transaction Transaction { get; }

    /// <summary>True when the list of the type has changed: its text, its values, its children.</summary>
    public bool ListChanged => _changed.List;

    /// <summary>The way from <see cref="CurrentTarget"/> to <see cref="Target"/>: keys of maps, and indexes of lists.</summary>
    public IReadOnlyList<Any> Path => _path ??= PathTo(CurrentTarget.Branch!, _changed.Branch);

    /// <summary>The change of the list, from its start on; empty when only keys have changed.</summary>
    /// <exception cref="InvalidOperationException">The handler has returned already.</exception>
    public IReadOnlyList<Delta> Delta => _delta ??= Compute(static (transaction, changed) => ListChanges.Of(transaction, changed));

    /// <summary>The keys whose value has changed: entries of a map, attributes of an XML node.</summary>
    /// <exception cref="InvalidOperationException">The handler has returned already.</exception>
    public IReadOnlyDictionary<string, KeyChange> Keys => _keys ??= Compute(static (transaction, changed) => KeyChanges.Of(transaction, changed));

    internal void Retarget(Branch current)
    {
        CurrentTarget = SharedType.ViewOf(current);
        _path = null;
    }

    private T Compute<T>(Func<Transaction, ChangedType, T> compute) =>
        Transaction.IsObservable
            ? compute(Transaction, _changed)
            : throw new InvalidOperationException("What an event tells must be read before its handler returns.");

    private static List<Any> PathTo(Branch from, Branch to)
    {
        var path = new List<Any>();
        var store = to.Doc.Store;
        for (var at = to; at != from && !at.IsRoot; at = store.ParentOf(store[at.Item]))
        {
            ref var item = ref store[at.Item];
            path.Add(item.Key != 0 ? store.Keys[item.Key] : (int)ListEditor.IndexOf(store.ParentOf(item), at.Item));
        }
        path.Reverse();
        return path;
    }
}
