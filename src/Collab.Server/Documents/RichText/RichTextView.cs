using Collab.Crdt;
using Collab.Protocol;

namespace Collab.Server.Documents.RichText;

/// <summary>A document's rich text as HTML or Markdown.</summary>
internal static class RichTextView
{
    public static string ToHtml(Doc doc, string? root, RichTextComparison? comparison = null) => HtmlWriter.Write(Read(doc, root, comparison));

    public static string ToMarkdown(Doc doc, string? root) => MarkdownWriter.Write(Read(doc, root));

    // The named root; else the only one that is rich text; else the only one that is a text.
    private static List<RichBlock> Read(Doc doc, string? root, RichTextComparison? comparison = null)
    {
        var name = root ?? OnlyOne(doc, RootKind.Xml) ?? OnlyOne(doc, RootKind.Text) ?? OnlyOne(doc, RootKind.Empty)
            ?? throw new CollabException(ErrorCodes.NotAcceptable, "the document has not one text but several or none; name a root with ?root=");
        if (!doc.RootNames.Contains(name))
            throw new CollabException(ErrorCodes.NotFound, "the document has no such root");
        return doc.LooksLike(name) switch
        {
            RootKind.Xml => new RichTextReader(comparison).Read(doc.GetXmlFragment(name)),
            RootKind.Text => new RichTextReader(comparison).Read(doc.GetText(name)),
            RootKind.Empty => [],
            _ => throw new CollabException(ErrorCodes.NotAcceptable, "the root is not a text; it can be had as application/json"),
        };
    }

    private static string? OnlyOne(Doc doc, RootKind kind)
    {
        string[] names = [.. doc.RootNames.Where(name => doc.LooksLike(name) == kind)];
        return names.Length == 1 ? names[0] : null;
    }
}
