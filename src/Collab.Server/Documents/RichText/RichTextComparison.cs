using Collab.Crdt;
using Collab.Server.Documents.Versions;

namespace Collab.Server.Documents.RichText;

/// <summary>What is in one or the other of two versions, and who wrote it.</summary>
/// <param name="versions">The versions.</param>
internal sealed class RichTextComparison(VersionComparison versions)
{
    private const string Attribute = "ychange";
    private const string Added = "added", Removed = "removed";

    /// <summary>The nodes of both versions in the order of the document. Common ones stand where they are; others beside them.</summary>
    public IEnumerable<(SharedType Node, RichChange? Change)> Children(XmlFragment parent)
    {
        var before = parent.ChildrenAt(versions.Before);
        var after = parent.ChildrenAt(versions.After);
        HashSet<SharedType> wasThere = [.. before], isThere = [.. after];
        var at = 0;
        foreach (var node in after)
        {
            if (!wasThere.Contains(node))
            {
                yield return (node, new RichChange(true, null));
                continue;
            }
            for (; before[at] != node; at++)
            {
                if (!isThere.Contains(before[at]))
                    yield return (before[at], new RichChange(false, null));
            }
            at++;
            yield return (node, null);
        }
        for (; at < before.Count; at++)
        {
            if (!isThere.Contains(before[at]))
                yield return (before[at], new RichChange(false, null));
        }
    }

    /// <summary>The text of both versions, with what was added and removed marked.</summary>
    public IReadOnlyList<Delta> Delta(Text text) => text.ToDelta(
        versions.After,
        versions.Before,
        change => Any.FromObject(
            ("change", change.Kind == TextChangeKind.Added ? Added : Removed),
            ("author", versions.AuthorOf(change.ClientId) ?? "")));

    /// <summary>What the attributes of a piece of text say of it.</summary>
    public static RichChange? ChangeIn(IReadOnlyDictionary<string, Any>? attributes) =>
        attributes is not null && attributes.TryGetValue(Attribute, out var value) && value.Kind == AnyKind.Object
        && value.AsObject().TryGetValue("change", out var change) && change.TryGetString(out var kind) && kind is Added or Removed
            ? new RichChange(kind == Added, value.AsObject()["author"].AsString() is { Length: > 0 } author ? author : null)
            : null;
}
