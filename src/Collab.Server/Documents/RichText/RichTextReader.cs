using System.Globalization;
using Collab.Crdt;

namespace Collab.Server.Documents.RichText;

/// <summary>
/// Reads rich text of the common editors: XML as y-prosemirror stores it (Tiptap and ProseMirror's own schemas), and texts with Quill's
/// attributes. What is unknown keeps its text.
/// </summary>
/// <param name="comparison">Two versions to be compared; null to read the document as it is.</param>
internal sealed class RichTextReader(RichTextComparison? comparison = null)
{
    // As deep as the engine lets types nest; what lies deeper is left out rather than read without end.
    private const int MaxDepth = 64;

    /// <summary>Reads a fragment.</summary>
    public List<RichBlock> Read(XmlFragment fragment) => ReadBlocks(fragment, 0);

    /// <summary>Reads a text: a block for each line, whose attributes stand on its line feed.</summary>
    public List<RichBlock> Read(Text text)
    {
        var blocks = new List<RichBlock>();
        var line = new List<RichRun>();
        foreach (var part in Delta(text))
        {
            if (!part.Value.TryGetString(out var letters))
            {
                AddEmbed(line, part);
                continue;
            }
            var pieces = letters.Split('\n');
            for (var i = 0; i < pieces.Length; i++)
            {
                if (i > 0)
                {
                    AddLine(blocks, line, part.Attributes);
                    line = [];
                }
                if (pieces[i].Length > 0)
                    line.Add(RunOf(pieces[i], part.Attributes));
            }
        }
        if (line.Count > 0)
            AddLine(blocks, line, null);
        return blocks;
    }

    private List<RichBlock> ReadBlocks(XmlFragment parent, int depth)
    {
        var blocks = new List<RichBlock>();
        var loose = new List<RichRun>();
        foreach (var (child, change) in depth > MaxDepth ? [] : Children(parent))
        {
            if (child is XmlElement element && !IsInline(element))
            {
                AddLoose();
                blocks.Add(ReadBlock(element, depth, change));
            }
            else
            {
                ReadRuns(child, loose, change);
            }
        }
        AddLoose();
        return blocks;

        // Text beside blocks is a paragraph of its own.
        void AddLoose()
        {
            if (loose.Count == 0)
                return;
            var paragraph = new RichBlock(RichBlockKind.Paragraph);
            paragraph.Runs.AddRange(loose);
            blocks.Add(paragraph);
            loose.Clear();
        }
    }

    private RichBlock ReadBlock(XmlElement element, int depth, RichChange? change)
    {
        var block = element.Name switch
        {
            "paragraph" => new RichBlock(RichBlockKind.Paragraph),
            "heading" => new RichBlock(RichBlockKind.Heading) { Level = Math.Clamp(NumberOf(element, "level", 1), 1, 6) },
            "blockquote" => new RichBlock(RichBlockKind.Quote),
            "bulletList" or "bullet_list" => new RichBlock(RichBlockKind.BulletList),
            "orderedList" or "ordered_list" => new RichBlock(RichBlockKind.NumberedList) { Level = NumberOf(element, "start", NumberOf(element, "order", 1)) },
            "taskList" or "task_list" => new RichBlock(RichBlockKind.TaskList),
            "listItem" or "list_item" => new RichBlock(RichBlockKind.Item),
            "taskItem" or "task_item" => new RichBlock(RichBlockKind.Item) { IsMarked = IsTrue(element.GetAttribute("checked")) },
            "codeBlock" or "code_block" => new RichBlock(RichBlockKind.Code) { Source = TextOf(element, "language") ?? TextOf(element, "params") },
            "horizontalRule" or "horizontal_rule" => new RichBlock(RichBlockKind.Rule),
            "image" => new RichBlock(RichBlockKind.Image) { Source = SafeAddress.OfImage(TextOf(element, "src")) },
            "table" => new RichBlock(RichBlockKind.Table),
            "tableRow" or "table_row" => new RichBlock(RichBlockKind.Row),
            "tableCell" or "table_cell" => new RichBlock(RichBlockKind.Cell),
            "tableHeader" or "table_header" => new RichBlock(RichBlockKind.Cell) { IsMarked = true },
            _ => new RichBlock(RichBlockKind.Group),
        };
        block = block with { Change = change };
        if (block.Kind == RichBlockKind.Image)
            block.Runs.Add(new RichRun(TextOf(element, "alt") ?? ""));
        else if (block.Kind is RichBlockKind.Paragraph or RichBlockKind.Heading or RichBlockKind.Code)
        {
            foreach (var (child, inner) in Children(element))
                ReadRuns(child, block.Runs, inner);
        }
        else
            block.Blocks.AddRange(ReadBlocks(element, depth + 1));
        return block;
    }

    private void ReadRuns(SharedType node, List<RichRun> runs, RichChange? change)
    {
        switch (node)
        {
            case XmlText text:
                foreach (var part in Delta(text))
                {
                    if (part.Value.TryGetString(out var letters))
                        runs.Add(RunOf(letters, part.Attributes));
                }
                break;
            case XmlElement { Name: "hardBreak" or "hard_break" }:
                runs.Add(new RichRun("\n") { IsBreak = true, Change = change });
                break;
            case XmlElement { Name: "image" } image:
                runs.Add(new RichRun(TextOf(image, "alt") ?? "") { Image = SafeAddress.OfImage(TextOf(image, "src")), Change = change });
                break;
            case XmlElement { Name: "mention" } mention:
                runs.Add(new RichRun("@" + (TextOf(mention, "label") ?? TextOf(mention, "id") ?? "")) { Change = change });
                break;
            case XmlElement { Name: "emoji" } emoji:
                runs.Add(new RichRun(TextOf(emoji, "emoji") ?? $":{TextOf(emoji, "name")}:") { Change = change });
                break;
            case XmlFragment others:
                foreach (var (child, inner) in Children(others))
                    ReadRuns(child, runs, inner);
                break;
        }
    }

    private IEnumerable<(SharedType Node, RichChange? Change)> Children(XmlFragment parent) =>
        comparison?.Children(parent) ?? parent.Children.Select(child => (child, (RichChange?)null));

    private IReadOnlyList<Delta> Delta(Text text) => comparison?.Delta(text) ?? text.ToDelta();

    private static bool IsInline(XmlElement element) => element.Name is "hardBreak" or "hard_break" or "mention" or "emoji";

    private static void AddEmbed(List<RichRun> line, Delta part)
    {
        if (part.Value.Kind == AnyKind.Object && part.Value.AsObject().TryGetValue("image", out var image) && image.TryGetString(out var address))
            line.Add(new RichRun("") { Image = SafeAddress.OfImage(address) });
    }

    // Lines of one list, quotation or code follow each other: they are one block.
    private static void AddLine(List<RichBlock> blocks, List<RichRun> runs, IReadOnlyDictionary<string, Any>? attributes)
    {
        var last = blocks.LastOrDefault();
        if (Has(attributes, "code-block"))
        {
            if (last is not { Kind: RichBlockKind.Code })
                blocks.Add(last = new RichBlock(RichBlockKind.Code) { Source = attributes!["code-block"].TryGetString(out var language) && language != "plain" ? language : null });
            else
                last.Runs.Add(new RichRun("\n"));
            last.Runs.AddRange(runs);
            return;
        }

        var line = new RichBlock(Has(attributes, "header") ? RichBlockKind.Heading : RichBlockKind.Paragraph)
        {
            Level = Has(attributes, "header") && attributes!["header"].Kind == AnyKind.Number ? Math.Clamp((int)attributes["header"].AsNumber(), 1, 6) : 1,
        };
        line.Runs.AddRange(runs);
        if (Has(attributes, "blockquote"))
        {
            Holder(RichBlockKind.Quote).Blocks.Add(line);
        }
        else if (Has(attributes, "list") && attributes!["list"].TryGetString(out var list))
        {
            var kind = list switch { "ordered" => RichBlockKind.NumberedList, "checked" or "unchecked" => RichBlockKind.TaskList, _ => RichBlockKind.BulletList };
            var item = new RichBlock(RichBlockKind.Item) { IsMarked = list == "checked" };
            item.Blocks.Add(line);
            Holder(kind).Blocks.Add(item);
        }
        else
        {
            blocks.Add(line);
        }

        RichBlock Holder(RichBlockKind kind)
        {
            if (last?.Kind == kind)
                return last;
            var holder = new RichBlock(kind);
            blocks.Add(holder);
            return holder;
        }
    }

    private static RichRun RunOf(string text, IReadOnlyDictionary<string, Any>? attributes)
    {
        var marks = RichMarks.None;
        string? link = null;
        foreach (var (key, value) in attributes ?? new Dictionary<string, Any>())
        {
            if (value.IsNullish || value is { Kind: AnyKind.Boolean } && !value.AsBoolean())
                continue;
            // y-prosemirror tells marks of one kind that overlap by a hash behind their name.
            var name = key.Split("--")[0];
            marks |= name switch
            {
                "bold" or "strong" => RichMarks.Bold,
                "italic" or "em" => RichMarks.Italic,
                "underline" or "u" => RichMarks.Underline,
                "strike" or "s" or "strikethrough" => RichMarks.Strike,
                "code" => RichMarks.Code,
                "highlight" or "background" => RichMarks.Highlight,
                "superscript" => RichMarks.Superscript,
                "subscript" => RichMarks.Subscript,
                "script" when value.TryGetString(out var script) => script == "super" ? RichMarks.Superscript : RichMarks.Subscript,
                _ => RichMarks.None,
            };
            if (name == "link")
                link = SafeAddress.OfLink(value.TryGetString(out var address) ? address : MemberOf(value, "href"));
        }
        return new RichRun(text, marks) { Link = link, Change = RichTextComparison.ChangeIn(attributes) };
    }

    private static bool Has(IReadOnlyDictionary<string, Any>? attributes, string name) =>
        attributes is not null && attributes.TryGetValue(name, out var value) && !value.IsNullish && !(value.Kind == AnyKind.Boolean && !value.AsBoolean());

    private static string? MemberOf(Any value, string name) =>
        value.Kind == AnyKind.Object && value.AsObject().TryGetValue(name, out var member) && member.TryGetString(out var text) ? text : null;

    private static string? TextOf(XmlElement element, string name) => element.GetAttribute(name).TryGetString(out var text) && text.Length > 0 ? text : null;

    private static int NumberOf(XmlElement element, string name, int otherwise)
    {
        var value = element.GetAttribute(name);
        return value.Kind == AnyKind.Number && Math.Abs(value.AsNumber()) < int.MaxValue ? (int)value.AsNumber()
            : value.TryGetString(out var text) && int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number
            : otherwise;
    }

    private static bool IsTrue(Any value) => value.Kind == AnyKind.Boolean ? value.AsBoolean() : value.TryGetString(out var text) && text == "true";
}
