using System.Security.Cryptography;
using Collab.Crdt;

namespace Collab.Client;

/// <summary>
/// Comments and marks on parts of a document. They are stored in it, in the map <c>comments</c>, as <c>@collab/client</c> stores them: kept,
/// undone, versioned and seen live as all else. Where they stand is a pair of <see cref="StickyIndex"/>es, which survive what is written around
/// them.
/// </summary>
/// <remarks>For use on the document's thread. What others wrote can be of any shape: what is no comment is left out.</remarks>
public sealed class Comments : IDisposable
{
    private readonly Doc _doc;
    private readonly Map _root;
    private readonly IDisposable _observation;

    /// <summary>Reads and writes the comments of a document.</summary>
    /// <param name="doc">The document.</param>
    /// <param name="root">The name of the map.</param>
    public Comments(Doc doc, string root = "comments")
    {
        ArgumentNullException.ThrowIfNull(doc);
        _doc = doc;
        _root = doc.GetMap(root);
        _observation = _root.ObserveDeep(_ => Changed?.Invoke(this, EventArgs.Empty));
    }

    /// <summary>Something was written, changed or taken away.</summary>
    public event EventHandler? Changed;

    /// <summary>All comments, the oldest first.</summary>
    public IReadOnlyList<Comment> All =>
    [
        .. _root.Select(entry => Read(entry.Key, entry.Value)).OfType<Comment>()
            .OrderBy(comment => comment.CreatedAt).ThenBy(comment => comment.Id, StringComparer.Ordinal),
    ];

    /// <summary>A comment; null when there is none of that id.</summary>
    public Comment? Find(string id) => _root.TryGetValue(id, out var value) ? Read(id, value) : null;

    /// <summary>Adds a comment to a part of a text. What is written at the part's ends is outside of it.</summary>
    /// <param name="text">The text.</param>
    /// <param name="start">Where the part begins, in UTF-16 code units.</param>
    /// <param name="length">How long it is.</param>
    /// <param name="author">Who writes it.</param>
    /// <param name="says">What it says.</param>
    /// <returns>Its id.</returns>
    public string Add(Text text, int start, int length, CommentAuthor author, string says) =>
        Add(StickyIndex.Create(text, start), StickyIndex.Create(text, start + length, Association.Before), author, says);

    /// <summary>Adds a comment, or a mark, from one place to another.</summary>
    /// <param name="start">Where it begins.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="author">Who writes it.</param>
    /// <param name="says">What it says; may be empty.</param>
    /// <param name="kind"><c>comment</c>, or whatever the application calls its marks.</param>
    /// <param name="data">What the application keeps with it: any plain value.</param>
    /// <returns>Its id.</returns>
    public string Add(StickyIndex start, StickyIndex end, CommentAuthor author, string says, string kind = "comment", Any data = default)
    {
        ArgumentNullException.ThrowIfNull(start);
        ArgumentNullException.ThrowIfNull(end);
        ArgumentNullException.ThrowIfNull(author);
        var id = NewId();
        _root.Set(id, new Map(
        [
            new("start", start.ToJson()), new("end", end.ToJson()), new("author", Write(author)), new("text", says), new("kind", kind),
            new("data", data.IsUndefined ? Any.Null : data), new("createdAt", Now()), new("resolved", false), new("replies", new YArray()),
        ]));
        return id;
    }

    /// <summary>Answers a comment.</summary>
    /// <returns>The answer's id; null when there is no such comment.</returns>
    public string? Reply(string id, CommentAuthor author, string says)
    {
        ArgumentNullException.ThrowIfNull(author);
        if (MapOf(id) is not { } comment || !comment.TryGetValue("replies", out var value) || value.Kind != AnyKind.Type || value.AsType<SharedType>() is not YArray replies)
            return null;
        var reply = NewId();
        replies.Add(Any.FromObject(("id", reply), ("author", Write(author)), ("text", says), ("createdAt", Now())));
        return reply;
    }

    /// <summary>Changes what a comment says.</summary>
    public void Edit(string id, string says) => MapOf(id)?.Set("text", says);

    /// <summary>Sets what the application keeps with a comment: any plain value.</summary>
    public void SetData(string id, Any data) => MapOf(id)?.Set("data", data);

    /// <summary>Says that a comment is dealt with, or is not.</summary>
    public void Resolve(string id, bool isResolved = true) => MapOf(id)?.Set("resolved", isResolved);

    /// <summary>Takes a comment away, with its answers.</summary>
    public void Remove(string id) => _root.Remove(id);

    /// <summary>
    /// Where a comment stands now in a text, in UTF-16 code units. Of a part whose text was deleted nothing is left: its length is 0.
    /// </summary>
    /// <returns>Null when it stands in something else, or there is none.</returns>
    public (int Start, int Length)? RangeIn(string id, Text text) =>
        Find(id) is { } comment && comment.Start.Resolve(_doc) is { } start && comment.End.Resolve(_doc) is { } end && start.Type == text && end.Type == text
            ? (start.Index, Math.Max(0, end.Index - start.Index))
            : null;

    /// <summary>Ends <see cref="Changed"/>. The comments stay.</summary>
    public void Dispose() => _observation.Dispose();

    private Map? MapOf(string id) =>
        _root.TryGetValue(id, out var value) && value.Kind == AnyKind.Type ? value.AsType<SharedType>() as Map : null;

    private static Comment? Read(string id, Any value)
    {
        if (value.Kind != AnyKind.Type || value.AsType<SharedType>() is not Map map)
            return null;
        if (Place(map, "start") is not { } start || Place(map, "end") is not { } end || AuthorIn(Entry(map, "author")) is not { } author
            || !Entry(map, "text").TryGetString(out var text))
        {
            return null;
        }
        return new Comment(id, author, text, TimeOf(Entry(map, "createdAt")), start, end)
        {
            Kind = Entry(map, "kind").TryGetString(out var kind) ? kind : "comment",
            Data = Entry(map, "data") is { IsUndefined: false } data ? data : Any.Null,
            IsResolved = Entry(map, "resolved") is { Kind: AnyKind.Boolean } resolved && resolved.AsBoolean(),
            Replies = Entry(map, "replies") is { Kind: AnyKind.Type } replies && replies.AsType<SharedType>() is YArray list
                ? [.. list.Select(ReadReply).OfType<CommentReply>()]
                : [],
        };
    }

    private static CommentReply? ReadReply(Any value)
    {
        if (value.Kind != AnyKind.Object)
            return null;
        var entries = value.AsObject();
        return Member(entries, "id").TryGetString(out var id) && Member(entries, "text").TryGetString(out var text) && AuthorIn(Member(entries, "author")) is { } author
            ? new CommentReply(id, author, text, TimeOf(Member(entries, "createdAt")))
            : null;
    }

    private static CommentAuthor? AuthorIn(Any value)
    {
        if (value.Kind != AnyKind.Object)
            return null;
        var entries = value.AsObject();
        return new CommentAuthor(
            Member(entries, "name").TryGetString(out var name) ? name : "",
            Member(entries, "id").TryGetString(out var id) ? id : null,
            Member(entries, "color").TryGetString(out var color) ? color : null);
    }

    private static StickyIndex? Place(Map map, string key)
    {
        try
        {
            return Entry(map, key) is { Kind: AnyKind.Object } place ? StickyIndex.FromJson(place) : null;
        }
        catch (Exception exception) when (exception is InvalidUpdateException or InvalidOperationException or ArgumentException)
        {
            return null;
        }
    }

    private static Any Write(CommentAuthor author)
    {
        var entries = new OrderedDictionary<string, Any> { ["name"] = author.Name };
        if (author.Id is not null)
            entries["id"] = author.Id;
        if (author.Color is not null)
            entries["color"] = author.Color;
        return Any.FromObject(entries);
    }

    private static Any Entry(Map map, string key) => map.TryGetValue(key, out var value) ? value : default;

    private static Any Member(IReadOnlyDictionary<string, Any> entries, string key) => entries.TryGetValue(key, out var value) ? value : default;

    // JavaScript's clock reaches 100 million days either way; this one less far.
    private static DateTimeOffset TimeOf(Any value) => value.Kind == AnyKind.Number && Math.Abs(value.AsNumber()) < 6e13
        ? DateTimeOffset.FromUnixTimeMilliseconds((long)value.AsNumber())
        : DateTimeOffset.UnixEpoch;

    private static double Now() => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    private static string NewId() => RandomNumberGenerator.GetHexString(24, lowercase: true);
}
