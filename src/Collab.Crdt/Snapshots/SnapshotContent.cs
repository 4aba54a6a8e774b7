using System.Text;

namespace Collab.Crdt;

/// <summary>Reads shared types as they were at a snapshot.</summary>
internal static class SnapshotContent
{
    /// <summary>The attribute that tells how a run of text differs; as in yjs.</summary>
    private const string ChangeAttribute = "ychange";

    /// <summary>
    /// A text at <paramref name="snapshot"/> (now when null) with, when <paramref name="previous"/> is given, what was visible
    /// only then (yjs <c>toDelta</c>).
    /// </summary>
    public static IReadOnlyList<Delta> DeltaOf(Branch branch, Snapshot? snapshot, Snapshot? previous, Func<TextChange, Any>? attribution)
    {
        var store = branch.Doc.Store;
        var now = new SnapshotView(store, snapshot);
        var before = previous is null ? null : new SnapshotView(store, previous);
        var delta = new List<Delta>();
        var attributes = new FormatSet();
        var run = new StringBuilder();
        for (var at = branch.Start; at != 0; at = store[at].Right)
        {
            ref var block = ref store[at];
            switch (block.Kind)
            {
                case StructKind.String:
                    AddText(block);
                    break;
                case StructKind.Type or StructKind.Embed when now.Shows(block, block.Clock) || (before?.Shows(block, block.Clock) ?? false):
                    TextDelta.AddRun(delta, run, attributes);
                    delta.Add(Delta.Insert(ListEditor.ValueAt(store, block, 0), TextDelta.Attributes(attributes)));
                    break;
                case StructKind.Format when now.Shows(block, block.Clock):
                    TextDelta.AddRun(delta, run, attributes);
                    attributes.Apply(store.FormatOf(block));
                    break;
            }
        }
        TextDelta.AddRun(delta, run, attributes);
        return delta;

        void AddText(in Block block)
        {
            string? text = null;
            for (uint clock = block.Clock, end; clock < block.NextClock; clock = end)
            {
                var isVisible = now.Shows(block, clock, out end);
                var wasVisible = false;
                if (before is not null)
                {
                    wasVisible = before.Shows(block, clock, out var endBefore);
                    end = Math.Min(end, endBefore);
                }
                if (!isVisible && !wasVisible)
                    continue;
                if (!isVisible)
                    Mark(TextChangeKind.Removed, block, clock);
                else if (before is not null && !wasVisible)
                    Mark(TextChangeKind.Added, block, clock);
                else if (attributes.TryGet(ChangeAttribute, out _))
                    Unmark();
                AppendPiece(run, text ??= store.TextOf(block), (int)(clock - block.Clock), (int)(end - block.Clock));
            }
        }

        void Mark(TextChangeKind kind, in Block block, uint clock)
        {
            var client = store.Clients[block.Client].Id;
            // As in yjs: runs go on as one where the attribute tells the client as its user, else each block is a run.
            if (attributes.TryGet(ChangeAttribute, out var current) && IsSame(current, kind, client))
                return;
            TextDelta.AddRun(delta, run, attributes);
            attributes.Set(ChangeAttribute, attribution?.Invoke(new TextChange(kind, client, clock)) ?? Any.FromObject(("type", NameOf(kind))));
        }

        void Unmark()
        {
            TextDelta.AddRun(delta, run, attributes);
            attributes.Remove(ChangeAttribute);
        }
    }

    /// <summary>The values of a list in order.</summary>
    public static IEnumerable<Any> ValuesOf(Branch branch, Snapshot snapshot)
    {
        var store = branch.Doc.Store;
        var view = new SnapshotView(store, snapshot);
        for (var at = branch.Start; at != 0; at = store[at].Right)
        {
            if (!store[at].IsCountable)
                continue;
            for (var offset = 0u; offset < store[at].Length; offset++)
            {
                if (view.Shows(store[at], store[at].Clock + offset))
                    yield return ListEditor.ValueAt(store, store[at], offset);
            }
        }
    }

    /// <summary>The entries of a map, or the attributes of an XML node, in the order in which their keys first came.</summary>
    public static OrderedDictionary<string, Any> EntriesOf(Branch branch, Snapshot snapshot)
    {
        var entries = new OrderedDictionary<string, Any>();
        if (branch.Map is not { } map)
            return entries;
        var store = branch.Doc.Store;
        var view = new SnapshotView(store, snapshot);
        foreach (var (key, last) in map)
        {
            if (TryFindLast(store, view, last, out var value))
                entries[store.Keys[key]] = value;
        }
        return entries;
    }

    /// <summary>The last value of a key that the snapshot knows of, unless that is deleted there.</summary>
    private static bool TryFindLast(BlockStore store, SnapshotView view, int last, out Any value)
    {
        value = default;
        for (var at = last; at != 0; at = store[at].Left)
        {
            ref var block = ref store[at];
            // Values that one client has set one after another and that are deleted now may be one block.
            for (var offset = block.Length; offset-- > 0;)
            {
                if (!view.Knows(block.Client, block.Clock + offset))
                    continue;
                if (!block.IsCountable || !view.Shows(block, block.Clock + offset))
                    return false;
                value = ListEditor.ValueAt(store, block, offset);
                return true;
            }
        }
        return false;
    }

    private static bool IsSame(in Any change, TextChangeKind kind, ulong client)
    {
        if (change.Kind != AnyKind.Object)
            return false;
        var members = change.AsObject();
        return members.TryGetValue("user", out var user) && user.Kind == AnyKind.Number && user.AsNumber() == client
            && members.TryGetValue("type", out var type) && type.TryGetString(out var name) && name == NameOf(kind);
    }

    private static string NameOf(TextChangeKind kind) => kind == TextChangeKind.Added ? "added" : "removed";

    /// <summary>Appends a piece of a text. A border within a surrogate pair leaves the replacement character on its side.</summary>
    private static void AppendPiece(StringBuilder run, string text, int start, int end)
    {
        if (start > 0 && char.IsSurrogatePair(text[start - 1], text[start]))
        {
            run.Append('\uFFFD');
            start++;
        }
        if (end > start && end < text.Length && char.IsSurrogatePair(text[end - 1], text[end]))
            run.Append(text, start, end - start - 1).Append('\uFFFD');
        else
            run.Append(text, start, end - start);
    }
}
