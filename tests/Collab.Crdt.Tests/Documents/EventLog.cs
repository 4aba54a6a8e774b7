namespace Collab.Crdt.Tests.Documents;

/// <summary>Writes down what deep observers of all roots are told, as the vectors have it.</summary>
internal sealed class EventLog
{
    private List<Any> _calls = [];

    public EventLog(Doc doc)
    {
        foreach (var root in Dump.RootNames)
            Dump.Root(doc, root).ObserveDeep(events => _calls.Add(Any.FromArray([.. events.Select(happened => Describe(root, happened))])));
    }

    /// <summary>The calls since the last time, as JSON text.</summary>
    public string Take()
    {
        var calls = _calls;
        _calls = [];
        return Any.FromArray(calls).ToString();
    }

    private static Any Describe(string root, TypeEvent happened) => Any.FromObject(
        ("root", root),
        ("path", Any.FromArray(happened.Path)),
        ("delta", Dump.DeltaOf(happened.Delta)),
        ("keys", Keys(happened.Keys)));

    private static Any Keys(IReadOnlyDictionary<string, KeyChange> keys) => Tagged.Sorted(
        keys.Select(change => KeyValuePair.Create(change.Key, Any.FromObject(
            ("action", change.Value.Action switch { KeyAction.Add => "add", KeyAction.Update => "update", _ => "delete" }),
            ("old", Old(change.Value.OldValue))))),
        static change => change);

    // What a deleted type held is not told.
    private static Any Old(Any value) => value.Kind == AnyKind.Type ? Any.FromObject(("$", "type")) : Dump.Content(value);
}
