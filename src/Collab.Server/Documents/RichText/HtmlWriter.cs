using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace Collab.Server.Documents.RichText;

/// <summary>Writes rich text as HTML: a fragment without styles, scripts or anything else that could do something.</summary>
internal static class HtmlWriter
{
    private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);
    private static readonly (RichMarks Mark, string Tag)[] Tags =
    [
        (RichMarks.Bold, "strong"), (RichMarks.Italic, "em"), (RichMarks.Underline, "u"), (RichMarks.Strike, "s"), (RichMarks.Highlight, "mark"),
        (RichMarks.Superscript, "sup"), (RichMarks.Subscript, "sub"), (RichMarks.Code, "code"),
    ];

    public static string Write(IEnumerable<RichBlock> blocks)
    {
        var html = new StringBuilder();
        foreach (var block in blocks)
            Write(html, block);
        return html.ToString();
    }

    private static void Write(StringBuilder html, RichBlock block)
    {
        // What stands in lists and tables can hold nothing else; its text says what has changed.
        var change = block.Kind is RichBlockKind.Item or RichBlockKind.Row or RichBlockKind.Cell ? null : block.Change;
        Begin(html, change);
        WriteBlock(html, block);
        End(html, change);
    }

    private static void Begin(StringBuilder html, RichChange? change)
    {
        if (change is null)
            return;
        html.Append(change.IsAdded ? "<ins" : "<del");
        if (change.Author is { Length: > 0 } author)
            html.Append(" data-author=\"").Append(Encoded(author)).Append('"');
        html.Append('>');
    }

    private static void End(StringBuilder html, RichChange? change)
    {
        if (change is not null)
            html.Append(change.IsAdded ? "</ins>" : "</del>");
    }

    private static void WriteBlock(StringBuilder html, RichBlock block)
    {
        switch (block.Kind)
        {
            case RichBlockKind.Rule:
                html.Append("<hr>");
                break;
            case RichBlockKind.Image:
                WriteImage(html, block.Source, block.Runs.FirstOrDefault()?.Text ?? "");
                break;
            case RichBlockKind.Code:
                html.Append("<pre><code");
                if (block.Source is { } language)
                    html.Append(" class=\"language-").Append(Encoded(language)).Append('"');
                html.Append('>');
                foreach (var run in block.Runs)
                {
                    Begin(html, run.Change);
                    html.Append(Encoded(run.Text));
                    End(html, run.Change);
                }
                html.Append("</code></pre>");
                break;
            case RichBlockKind.Item:
                Wrap(html, block, "li", "");
                break;
            default:
                var (tag, attributes) = TagOf(block);
                Wrap(html, block, tag, attributes);
                break;
        }
    }

    private static (string Tag, string Attributes) TagOf(RichBlock block) => block.Kind switch
    {
        RichBlockKind.Paragraph => ("p", ""),
        RichBlockKind.Heading => (string.Create(CultureInfo.InvariantCulture, $"h{block.Level}"), ""),
        RichBlockKind.Quote => ("blockquote", ""),
        RichBlockKind.BulletList or RichBlockKind.TaskList => ("ul", ""),
        RichBlockKind.NumberedList => ("ol", block.Level == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $" start=\"{block.Level}\"")),
        RichBlockKind.Table => ("table", ""),
        RichBlockKind.Row => ("tr", ""),
        RichBlockKind.Cell => (block.IsMarked ? "th" : "td", ""),
        _ => ("div", ""),
    };

    private static void Wrap(StringBuilder html, RichBlock block, string tag, string attributes)
    {
        html.Append('<').Append(tag).Append(attributes).Append('>');
        foreach (var run in block.Runs)
        {
            Begin(html, run.Change);
            Write(html, run);
            End(html, run.Change);
        }
        foreach (var inner in block.Blocks)
        {
            if (block.Kind == RichBlockKind.TaskList && inner.Kind == RichBlockKind.Item)
                html.Append(inner.IsMarked ? "<li><input type=\"checkbox\" disabled checked>" : "<li><input type=\"checkbox\" disabled>").Append(Write(inner.Blocks)).Append("</li>");
            else
                Write(html, inner);
        }
        html.Append("</").Append(tag).Append('>');
    }

    private static void Write(StringBuilder html, RichRun run)
    {
        if (run.IsBreak)
        {
            html.Append("<br>");
            return;
        }
        if (run.Image is not null)
        {
            WriteImage(html, run.Image, run.Text);
            return;
        }
        if (run.Link is { } link)
            html.Append("<a href=\"").Append(Encoded(link)).Append("\" rel=\"noopener noreferrer nofollow\">");
        foreach (var (mark, tag) in Tags)
        {
            if (run.Marks.HasFlag(mark))
                html.Append('<').Append(tag).Append('>');
        }
        html.Append(Encoded(run.Text));
        foreach (var (mark, tag) in Tags.Reverse())
        {
            if (run.Marks.HasFlag(mark))
                html.Append("</").Append(tag).Append('>');
        }
        if (run.Link is not null)
            html.Append("</a>");
    }

    private static void WriteImage(StringBuilder html, string? source, string alternative)
    {
        if (source is not null)
            html.Append("<img src=\"").Append(Encoded(source)).Append("\" alt=\"").Append(Encoded(alternative)).Append("\">");
        else
            html.Append(Encoded(alternative));
    }

    // Letters of all languages stay readable, and so do line feeds in code.
    private static string Encoded(string text) => string.Join('\n', text.Split('\n').Select(Encoder.Encode));
}
