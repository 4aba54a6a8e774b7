using System.Text;
using Collab.Crdt;

namespace Collab.Client;

/// <summary>
/// Rich text as lines: each block of text (paragraph, heading, …) of an XML fragment is one, in the order of the document and however deep
/// it lies. Objects in a line, and blocks that hold no text (a picture, a rule), are one character. Positions are UTF-16 code units.
/// </summary>
/// <remarks>The names are those of ProseMirror's schemas as y-prosemirror stores them; others are told by what they hold.</remarks>
internal sealed class RichTextBlocks
{
    public const char Object = '\uFFFC';

    private static readonly HashSet<string> Objects =
        new(["horizontalRule", "horizontal_rule", "image", "hardBreak", "hard_break", "mention", "emoji"], StringComparer.Ordinal);

    private readonly List<RichTextBlock> _blocks = [];

    /// <param name="fragment">The rich text.</param>
    public RichTextBlocks(XmlFragment fragment)
    {
        Collect(fragment);
        var text = new StringBuilder();
        foreach (var block in _blocks)
        {
            if (text.Length > 0 || block != _blocks[0])
                text.Append('\n');
            block.Start = text.Length;
            text.Append(block.Text);
        }
        Text = text.ToString();
    }

    public string Text { get; }

    public IReadOnlyList<RichTextBlock> Blocks => _blocks;

    /// <summary>The block that a place is in. There must be one.</summary>
    public RichTextBlock At(int place) => _blocks.Last(block => block.Start <= Math.Max(0, place));

    /// <summary>Whether an element is a thing in or among text, not something that holds text.</summary>
    public static bool IsObject(XmlElement element) => Objects.Contains(element.Name);

    private void Collect(XmlFragment parent)
    {
        foreach (var child in parent.Children)
        {
            if (child is XmlText or XmlElement { Length: 0 } || (child is XmlElement element && HoldsText(element)))
                _blocks.Add(new RichTextBlock(child));
            else if (child is XmlFragment nested)
                Collect(nested);
        }
    }

    // A picture or a rule stands for itself; other objects stand in a line.
    private static bool HoldsText(XmlElement element) =>
        element.FirstChild is XmlText or XmlElement { Name: "hardBreak" or "hard_break" or "mention" or "emoji" };
}

/// <summary>One line of rich text.</summary>
internal sealed class RichTextBlock
{
    /// <param name="node">The element that holds the text, a text beside elements, or an object.</param>
    public RichTextBlock(SharedType node)
    {
        Node = node;
        IsObject = node is XmlElement element && RichTextBlocks.IsObject(element);
        IEnumerable<SharedType> parts = node is XmlElement holder && !IsObject ? holder.Children : [node];
        var text = new StringBuilder();
        foreach (var part in parts)
        {
            var start = text.Length;
            if (part is XmlText run)
            {
                foreach (var piece in run.ToDelta())
                    text.Append(piece.Value.TryGetString(out var letters) ? letters : RichTextBlocks.Object);
            }
            else
            {
                text.Append(RichTextBlocks.Object);
            }
            Parts.Add(new RichTextPart(part, start, text.Length));
        }
        Text = text.ToString();
    }

    public SharedType Node { get; }

    /// <summary>Whether it is an object, so that nothing can be written into it.</summary>
    public bool IsObject { get; }

    public string Text { get; }

    /// <summary>Where it begins in the whole text.</summary>
    public int Start { get; set; }

    public int End => Start + Text.Length;

    /// <summary>Its texts and objects, in order.</summary>
    public List<RichTextPart> Parts { get; } = [];

    /// <summary>Whether line feeds are text in it like others.</summary>
    public bool IsCode => Node is XmlElement { Name: "codeBlock" or "code_block" };

    /// <summary>The part that a place of the block is in, or at the end of; null when there is none.</summary>
    public RichTextPart? PartAt(int offset) => Parts.FindLast(part => part.Start < offset) ?? Parts.FirstOrDefault();
}

/// <summary>A text or an object of a block.</summary>
/// <param name="Node">What it is.</param>
/// <param name="Start">Where it begins in the block.</param>
/// <param name="End">Where it ends.</param>
internal sealed record RichTextPart(SharedType Node, int Start, int End);
