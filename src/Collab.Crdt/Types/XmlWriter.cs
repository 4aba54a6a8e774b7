using System.Text;

namespace Collab.Crdt;

/// <summary>
/// Writes XML nodes as text, as yjs' <c>toString</c> does: attributes and formats in the order of their names, element names
/// in lower case, nothing escaped. Nesting costs no call stack.
/// </summary>
internal static class XmlWriter
{
    /// <summary>A fragment's children, or an element with its tags.</summary>
    public static string Write(Branch root)
    {
        var store = root.Doc.Store;
        var xml = new StringBuilder();
        var open = new Stack<(Branch Branch, int Next)>();
        Open(xml, open, root);
        while (open.TryPop(out var top))
        {
            var at = top.Next;
            while (at != 0 && store[at].VisibleLength == 0)
                at = store[at].Right;
            if (at == 0)
            {
                if (top.Branch.Kind == TypeKind.XmlElement)
                    xml.Append("</").Append(top.Branch.Name!.ToLowerInvariant()).Append('>');
                continue;
            }
            ref var block = ref store[at];
            open.Push((top.Branch, block.Right));
            var child = block.Kind == StructKind.Type ? store.TypeOf(block) : null;
            if (child?.Kind is TypeKind.XmlElement or TypeKind.XmlFragment)
                Open(xml, open, child);
            else if (child?.Kind is TypeKind.XmlText)
                xml.Append(WriteText(child));
            else if (child?.Kind is TypeKind.Text)
                xml.Append(SharedType.ViewOf(child));
            else
                xml.Append("[object Object]");
        }
        return xml.ToString();
    }

    /// <summary>A text with its formats as nested tags.</summary>
    public static string WriteText(Branch text)
    {
        var xml = new StringBuilder();
        foreach (var run in TextDelta.Of(text))
        {
            string[] tags = [.. (run.Attributes?.Keys ?? []).Order(StringComparer.Ordinal)];
            foreach (var tag in tags)
            {
                xml.Append('<').Append(tag);
                WriteAttributes(xml, MembersOf(run.Attributes![tag]));
                xml.Append('>');
            }
            xml.Append(run.Value.Kind == AnyKind.Type ? run.Value.AsType<SharedType>().ToString() : AnyText.Of(run.Value));
            foreach (var tag in tags.Reverse())
                xml.Append("</").Append(tag).Append('>');
        }
        return xml.ToString();
    }

    /// <summary>What JavaScript's <c>for … in</c> finds in a value: the characters of a string are members too.</summary>
    private static IEnumerable<KeyValuePair<string, Any>> MembersOf(Any value) => value.Kind switch
    {
        AnyKind.Object => value.AsObject(),
        AnyKind.Array => value.AsArray().Select((item, index) => KeyValuePair.Create(AnyText.Of(index), item)),
        AnyKind.String => value.AsString().Select((unit, index) => KeyValuePair.Create(AnyText.Of(index), (Any)unit.ToString())),
        _ => [],
    };

    private static void Open(StringBuilder xml, Stack<(Branch Branch, int Next)> open, Branch branch)
    {
        if (branch.Kind == TypeKind.XmlElement)
        {
            xml.Append('<').Append(branch.Name!.ToLowerInvariant());
            WriteAttributes(xml, MapEditor.Entries(branch));
            xml.Append('>');
        }
        open.Push((branch, branch.Start));
    }

    private static void WriteAttributes(StringBuilder xml, IEnumerable<KeyValuePair<string, Any>> attributes)
    {
        foreach (var (name, value) in attributes.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            xml.Append(' ').Append(name).Append("=\"").Append(AnyText.Of(value)).Append('"');
    }
}
