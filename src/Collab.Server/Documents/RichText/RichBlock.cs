namespace Collab.Server.Documents.RichText;

/// <summary>What a block of rich text is.</summary>
internal enum RichBlockKind
{
    Paragraph,
    Heading,
    Quote,
    BulletList,
    NumberedList,
    TaskList,
    Item,
    Code,
    Rule,
    Image,
    Table,
    Row,
    Cell,

    /// <summary>Something that is not known and holds other blocks.</summary>
    Group,
}

/// <summary>A block of rich text, whatever editor wrote it: with blocks in it, or with text.</summary>
/// <param name="Kind">What it is.</param>
internal sealed record RichBlock(RichBlockKind Kind)
{
    /// <summary>Of a heading 1 to 6; of a numbered list its first number.</summary>
    public int Level { get; init; } = 1;

    /// <summary>Of an item of a task list: whether it is done. Of a cell: whether it is a heading.</summary>
    public bool IsMarked { get; init; }

    /// <summary>Of an image its address, of code its language.</summary>
    public string? Source { get; init; }

    /// <summary>Whether all of it was added or removed, and by whom; null when it was there before and still is.</summary>
    public RichChange? Change { get; init; }

    /// <summary>The blocks in it.</summary>
    public List<RichBlock> Blocks { get; } = [];

    /// <summary>The text in it.</summary>
    public List<RichRun> Runs { get; } = [];
}

/// <summary>A piece of text with one formatting, or something in a line.</summary>
/// <param name="Text">The text; of an image what stands for it.</param>
/// <param name="Marks">How it is formatted.</param>
internal sealed record RichRun(string Text, RichMarks Marks = RichMarks.None)
{
    /// <summary>Where it leads to; null when nowhere. Only addresses that are safe to follow.</summary>
    public string? Link { get; init; }

    /// <summary>The address of an image; null when it is text.</summary>
    public string? Image { get; init; }

    /// <summary>Whether it was added or removed, and by whom; null when it was there before and still is.</summary>
    public RichChange? Change { get; init; }

    /// <summary>Whether it is the end of a line within a block.</summary>
    public bool IsBreak { get; init; }
}

/// <summary>How something differs between two versions.</summary>
/// <param name="IsAdded">It is in the later one only; else in the earlier one only.</param>
/// <param name="Author">The id of the user who wrote it; null when nobody knows.</param>
internal sealed record RichChange(bool IsAdded, string? Author);

/// <summary>Formatting of text.</summary>
[Flags]
internal enum RichMarks
{
    None = 0,
    Bold = 1,
    Italic = 2,
    Underline = 4,
    Strike = 8,
    Code = 16,
    Highlight = 32,
    Superscript = 64,
    Subscript = 128,
}
