using Collab.Crdt;

namespace Collab.Client;

/// <summary>Who wrote a comment, as he says himself.</summary>
/// <param name="Name">His name.</param>
/// <param name="Id">His id, if he has one.</param>
/// <param name="Color">His colour, if he has one, such as <c>#1971c2</c>.</param>
public sealed record CommentAuthor(string Name, string? Id = null, string? Color = null);

/// <summary>What is said in answer to a comment.</summary>
/// <param name="Id">Names it.</param>
/// <param name="Author">Who wrote it.</param>
/// <param name="Text">What it says.</param>
/// <param name="CreatedAt">When it was written, by the author's clock.</param>
public sealed record CommentReply(string Id, CommentAuthor Author, string Text, DateTimeOffset CreatedAt);

/// <summary>A comment, or a mark, on a part of a document.</summary>
public sealed record Comment
{
    internal Comment(string id, CommentAuthor author, string text, DateTimeOffset createdAt, StickyIndex start, StickyIndex end) =>
        (Id, Author, Text, CreatedAt, Start, End) = (id, author, text, createdAt, start, end);

    /// <summary>Names it in the document.</summary>
    public string Id { get; }

    /// <summary>Who wrote it.</summary>
    public CommentAuthor Author { get; }

    /// <summary>What it says.</summary>
    public string Text { get; }

    /// <summary>When it was written, by the author's clock.</summary>
    public DateTimeOffset CreatedAt { get; }

    /// <summary>Where it begins; it moves with the text.</summary>
    public StickyIndex Start { get; }

    /// <summary>Where it ends; it moves with the text.</summary>
    public StickyIndex End { get; }

    /// <summary><c>comment</c>, or whatever an application calls its marks.</summary>
    public string Kind { get; init; } = "comment";

    /// <summary>What an application keeps with it: any plain value.</summary>
    public Any Data { get; init; } = Any.Null;

    /// <summary>Whether it is dealt with.</summary>
    public bool IsResolved { get; init; }

    /// <summary>The answers, in the order in which they were written.</summary>
    public IReadOnlyList<CommentReply> Replies { get; init; } = [];
}
