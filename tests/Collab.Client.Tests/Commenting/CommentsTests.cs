using Collab.Crdt;

namespace Collab.Client.Tests.Commenting;

/// <summary>Comments stay at their words, and are those of <c>@collab/client</c>.</summary>
public sealed class CommentsTests
{
    private static readonly CommentAuthor Ada = new("Ada", "ada", "#7048e8");
    private readonly Doc _doc = new();

    [Fact]
    public void A_comment_stays_at_its_words_whatever_is_written_around_them()
    {
        var text = TextWith("one two three");
        using var comments = new Client.Comments(_doc);
        var id = comments.Add(text, 4, 3, Ada, "why two?");

        text.Insert(0, ">> ");
        text.Insert(7, "x");
        text.Insert(11, "y");
        text.Insert(9, "-");

        var (start, length) = comments.RangeIn(id, text)!.Value;
        Assert.Equal("t-wo", text.ToString()!.Substring(start, length));
        text.Delete(8, 4);
        Assert.Equal((8, 0), comments.RangeIn(id, text));
        Assert.Equal("why two?", comments.Find(id)!.Text);
    }

    [Fact]
    public void Comments_are_answered_edited_resolved_and_taken_away()
    {
        var text = TextWith("text");
        using var comments = new Client.Comments(_doc);
        var changes = 0;
        comments.Changed += (_, _) => changes++;
        var id = comments.Add(text, 0, 4, Ada, "first");
        comments.Reply(id, new CommentAuthor("Grace"), "second");
        comments.Edit(id, "edited");
        comments.SetData(id, Any.FromObject(("priority", 2)));
        comments.Resolve(id);

        var comment = Assert.Single(comments.All);
        Assert.Equal(("edited", "comment", true, Ada), (comment.Text, comment.Kind, comment.IsResolved, comment.Author));
        Assert.Equal("""{"priority":2}""", comment.Data.ToString());
        Assert.Equal(("second", "Grace"), (comment.Replies.Single().Text, comment.Replies.Single().Author.Name));
        Assert.InRange(DateTimeOffset.UtcNow - comment.CreatedAt, TimeSpan.FromSeconds(-1), TimeSpan.FromMinutes(1));
        Assert.Equal(5, changes);
        comments.Remove(id);
        Assert.Empty(comments.All);
        Assert.Null(comments.Reply(id, Ada, "late"));
    }

    [Fact]
    public void What_is_no_comment_is_left_out()
    {
        var text = TextWith("text");
        var root = _doc.GetMap("comments");
        root.Set("a", 5);
        root.Set("b", new Map([new("text", "no place")]));
        root.Set("c", new Map([new("text", 7), new("start", Any.FromObject()), new("end", Any.FromObject()), new("author", Any.FromObject()), new("createdAt", double.NaN)]));
        using var comments = new Client.Comments(_doc);

        var id = comments.Add(StickyIndex.Create(text, 0), StickyIndex.Create(text, 1), Ada, "", "highlight");

        Assert.Equal((id, "highlight"), (Assert.Single(comments.All).Id, comments.All[0].Kind));
    }

    [Fact]
    public void A_comment_as_TypeScript_writes_it_is_read()
    {
        var text = TextWith("one two");
        _doc.GetMap("comments").Set("c1", new Map(
        [
            new("start", StickyIndex.Create(text, 4).ToJson()), new("end", StickyIndex.Create(text, 7, Association.Before).ToJson()),
            new("author", Any.FromObject(("name", "Ada"))), new("text", "here"), new("kind", "comment"), new("data", Any.Null), new("createdAt", 1_700_000_000_000.0),
            new("resolved", false), new("replies", new YArray(Any.FromObject(("id", "r1"), ("author", Any.FromObject(("name", "Ben"))), ("text", "yes"), ("createdAt", 1_700_000_000_001.0)))),
        ]));
        using var comments = new Client.Comments(_doc);

        var comment = comments.All.Single();

        Assert.Equal((4, 3), comments.RangeIn("c1", text));
        Assert.Equal(("here", "yes"), (comment.Text, comment.Replies.Single().Text));
        Assert.Equal(1_700_000_000_000, comment.CreatedAt.ToUnixTimeMilliseconds());
    }

    private Text TextWith(string content)
    {
        var text = _doc.GetText("text");
        text.Insert(0, content);
        return text;
    }
}
