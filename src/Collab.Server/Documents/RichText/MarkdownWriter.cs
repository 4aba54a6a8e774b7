using System.Globalization;
using System.Text;

namespace Collab.Server.Documents.RichText;

/// <summary>Writes rich text as Markdown (CommonMark, with GitHub's tables, task lists and strikethrough).</summary>
internal static class MarkdownWriter
{
    private const string Special = "\\`*_{}[]<>#|~";

    public static string Write(IEnumerable<RichBlock> blocks)
    {
        var lines = new List<string>();
        foreach (var block in blocks)
        {
            if (lines.Count > 0)
                lines.Add("");
            lines.AddRange(Lines(block));
        }
        return lines.Count == 0 ? "" : string.Join('\n', lines) + "\n";
    }

    private static List<string> Lines(RichBlock block) => block.Kind switch
    {
        RichBlockKind.Paragraph => Paragraph(block),
        RichBlockKind.Heading => [new string('#', block.Level) + " " + string.Join(' ', Paragraph(block)).Trim()],
        RichBlockKind.Quote => [.. Inner(block).Select(line => line.Length == 0 ? ">" : "> " + line)],
        RichBlockKind.BulletList => Items(block, (_, _) => "- "),
        RichBlockKind.TaskList => Items(block, (item, _) => item.IsMarked ? "- [x] " : "- [ ] "),
        RichBlockKind.NumberedList => Items(block, (_, index) => string.Create(CultureInfo.InvariantCulture, $"{block.Level + index}. ")),
        RichBlockKind.Code => Code(block),
        RichBlockKind.Rule => ["---"],
        RichBlockKind.Image => [Image(block.Source, block.Runs.FirstOrDefault()?.Text ?? "")],
        RichBlockKind.Table => Table(block),
        _ => Inner(block),
    };

    private static List<string> Inner(RichBlock block)
    {
        var lines = new List<string>();
        foreach (var inner in block.Blocks)
        {
            if (lines.Count > 0)
                lines.Add("");
            lines.AddRange(Lines(inner));
        }
        return lines;
    }

    private static List<string> Paragraph(RichBlock block)
    {
        var text = string.Concat(block.Runs.Select(Inline));
        return [.. text.Split('\n').Select((line, index) => index == 0 ? AtStart(line) : line)];
    }

    // What would begin another block at the start of a line is text here.
    private static string AtStart(string line)
    {
        var digits = line.TakeWhile(char.IsAsciiDigit).Count();
        return line.Length > 0 && line[0] is '-' or '+' or '=' ? "\\" + line
            : digits > 0 && digits < line.Length && line[digits] is '.' or ')' ? line.Insert(digits, "\\")
            : line;
    }

    private static List<string> Items(RichBlock list, Func<RichBlock, int, string> mark)
    {
        var lines = new List<string>();
        var index = 0;
        foreach (var item in list.Blocks)
        {
            var sign = mark(item, index++);
            // Marks of tasks are text of the item: what belongs to it stands under its text.
            var indent = new string(' ', sign.StartsWith("- [", StringComparison.Ordinal) ? 2 : sign.Length);
            var inner = Inner(item);
            lines.Add(sign + inner.FirstOrDefault());
            // Lists in lists follow without an empty line.
            lines.AddRange(inner.Skip(1).Where((line, at) => line.Length > 0 || !IsListAt(item, at)).Select(line => line.Length == 0 ? "" : indent + line));
        }
        return lines;
    }

    private static bool IsListAt(RichBlock item, int at) =>
        at == 0 && item.Blocks.Count > 1 && item.Blocks[1].Kind is RichBlockKind.BulletList or RichBlockKind.NumberedList or RichBlockKind.TaskList;

    private static List<string> Code(RichBlock block)
    {
        var text = string.Concat(block.Runs.Select(run => run.Text));
        var fence = "```";
        while (text.Contains(fence, StringComparison.Ordinal))
            fence += "`";
        var language = new string([.. (block.Source ?? "").Where(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '+' or '#')]);
        return [fence + language, .. text.Split('\n'), fence];
    }

    private static List<string> Table(RichBlock table)
    {
        var rows = table.Blocks.Select(row => row.Blocks.Select(cell => string.Join(' ', Inner(cell).Where(line => line.Length > 0))).ToArray()).ToArray();
        var columns = rows.Length == 0 ? 0 : rows.Max(row => row.Length);
        if (columns == 0)
            return [];
        var lines = new List<string> { Row(rows[0]), "|" + string.Concat(Enumerable.Repeat(" --- |", columns)) };
        lines.AddRange(rows.Skip(1).Select(Row));
        return lines;

        string Row(string[] cells) => "|" + string.Concat(Enumerable.Range(0, columns).Select(i => $" {(i < cells.Length ? cells[i] : "")} |"));
    }

    private static string Inline(RichRun run)
    {
        if (run.IsBreak)
            return "\\\n";
        if (run.Image is not null)
            return Image(run.Image, run.Text);
        var text = run.Text;
        // Marks must stand at words, not at spaces.
        var (start, end) = (text.Length - text.TrimStart().Length, text.TrimEnd().Length);
        if (start >= end)
            return text;
        var inner = Marked(text[start..end], run.Marks);
        if (run.Link is { } link)
            inner = $"[{inner}](<{link.Replace("<", "%3C", StringComparison.Ordinal).Replace(">", "%3E", StringComparison.Ordinal)}>)";
        return text[..start] + inner + text[end..];
    }

    private static string Marked(string text, RichMarks marks)
    {
        var marked = marks.HasFlag(RichMarks.Code) ? Verbatim(text) : Escaped(text);
        if (marks.HasFlag(RichMarks.Strike))
            marked = $"~~{marked}~~";
        if (marks.HasFlag(RichMarks.Italic))
            marked = $"*{marked}*";
        if (marks.HasFlag(RichMarks.Bold))
            marked = $"**{marked}**";
        return marked;
    }

    private static string Verbatim(string text)
    {
        var fence = "`";
        while (text.Contains(fence, StringComparison.Ordinal))
            fence += "`";
        return fence.Length == 1 ? $"`{text}`" : $"{fence} {text} {fence}";
    }

    private static string Image(string? source, string alternative) =>
        source is null ? Escaped(alternative) : $"![{Escaped(alternative)}](<{source.Replace("<", "%3C", StringComparison.Ordinal).Replace(">", "%3E", StringComparison.Ordinal)}>)";

    private static string Escaped(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var letter in text)
        {
            if (Special.Contains(letter))
                escaped.Append('\\');
            escaped.Append(letter);
        }
        return escaped.ToString();
    }
}
