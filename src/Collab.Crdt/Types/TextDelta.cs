using System.Text;

namespace Collab.Crdt;

/// <summary>Reads a text as a delta (yjs <c>toDelta</c>).</summary>
internal static class TextDelta
{
    /// <summary>The text as it is now.</summary>
    public static IReadOnlyList<Delta> Of(Branch branch)
    {
        var store = branch.Doc.Store;
        var delta = new List<Delta>();
        var attributes = new FormatSet();
        var run = new StringBuilder();
        for (var at = branch.Start; at != 0; at = store[at].Right)
        {
            ref var block = ref store[at];
            if (block.IsDeleted)
                continue;
            switch (block.Kind)
            {
                case StructKind.String:
                    run.Append(store.TextOf(block));
                    break;
                case StructKind.Type or StructKind.Embed:
                    AddRun(delta, run, attributes);
                    delta.Add(Delta.Insert(ListEditor.ValueAt(store, block, 0), Attributes(attributes)));
                    break;
                case StructKind.Format:
                    AddRun(delta, run, attributes);
                    attributes.Apply(store.FormatOf(block));
                    break;
            }
        }
        AddRun(delta, run, attributes);
        return delta;
    }

    /// <summary>Ends a run of text that has the same attributes.</summary>
    public static void AddRun(List<Delta> delta, StringBuilder run, FormatSet attributes)
    {
        if (run.Length == 0)
            return;
        delta.Add(Delta.Insert(run.ToString(), Attributes(attributes)));
        run.Clear();
    }

    /// <summary>A copy of attributes for handing out; null when there are none.</summary>
    public static OrderedDictionary<string, Any>? Attributes(FormatSet attributes) =>
        attributes.IsEmpty ? null : new OrderedDictionary<string, Any>(attributes.AsObject);
}
