using Collab.Crdt;

namespace Collab.Client.Tests.Bindings;

/// <summary>Text box and shared text say the same, whoever types, and the caret stays where it is in the text.</summary>
public sealed class TextBindingTests
{
    private readonly Doc _mine = new(new DocOptions { ClientId = 1 });
    private readonly Doc _theirs = new(new DocOptions { ClientId = 2 });

    [Theory]
    [InlineData("aaa", "aaaa", 1, 0, 0, "a")]
    [InlineData("aaa", "aaaa", 3, 2, 0, "a")]
    [InlineData("aaa", "aa", 1, 1, 1, "")]
    [InlineData("hello world", "help world", 4, 3, 2, "p")]
    [InlineData("abc", "abc", 1, 1, 0, "")]
    [InlineData("", "x", 0, 0, 0, "x")]
    [InlineData("x", "", 0, 0, 1, "")]
    [InlineData("a\U0001F600b", "a\U0001F601b", 3, 1, 2, "\U0001F601")]
    [InlineData("a\U0001F600b", "a\U0001F600\U0001F600b", 5, 3, 0, "\U0001F600")]
    public void The_smallest_edit_is_found_where_the_caret_is(string before, string after, int caret, int start, int deleted, string inserted) =>
        Assert.Equal(new TextEdit(start, deleted, inserted), TextEdit.Between(before, after, caret));

    [Fact]
    public void The_box_shows_what_is_in_the_text_and_objects_as_a_sign()
    {
        var text = _mine.GetText("text");
        text.Insert(0, "bold", new Dictionary<string, Any> { ["bold"] = true });
        text.InsertEmbed(4, Any.FromObject(("image", "x.png")));
        var box = new Box { Text = "what was here" };

        using var binding = new TextBinding(text, box);

        Assert.Equal("bold\uFFFC", box.Text);
        box.Type("!", at: 5);
        Assert.Equal(6, text.Length);
        Assert.Equal(3, text.ToDelta().Count);
    }

    [Fact]
    public void What_others_type_before_the_caret_moves_it_and_what_they_type_at_it_does_not()
    {
        var (text, box) = Bound("hello world");
        box.Select(5, 0);

        text.Insert(0, ">> ");
        Assert.Equal((">> hello world", 8), (box.Text, box.SelectionStart));
        text.Insert(8, ",");
        Assert.Equal((">> hello, world", 8), (box.Text, box.SelectionStart));
        text.Delete(0, 10);
        Assert.Equal(("world", 0), (box.Text, box.SelectionStart));
    }

    [Fact]
    public void A_selection_keeps_what_it_holds()
    {
        var (text, box) = Bound("one two three");
        box.Select(4, 3);

        text.Insert(4, "<");
        text.Insert(8, ">");
        text.Insert(6, "--");

        Assert.Equal("one <t--wo> three", box.Text);
        Assert.Equal("t--wo", box.Text.Substring(box.SelectionStart, box.SelectionLength));
    }

    [Fact]
    public void A_box_with_other_line_ends_shows_lines_and_the_text_has_line_feeds()
    {
        var text = _mine.GetText("text");
        text.Insert(0, "one\ntwo");
        var box = new Box { NewLine = "\r\n" };
        using var binding = new TextBinding(text, box);
        Assert.Equal("one\r\ntwo", box.Text);

        box.Type("\r\n!", at: 8);
        Assert.Equal("one\ntwo\n!", text.ToString());
        text.Insert(0, "zero\n");

        Assert.Equal("zero\r\none\r\ntwo\r\n!", box.Text);
        Assert.Equal(box.Text.Length, box.SelectionStart);
    }

    [Fact]
    public void What_the_user_typed_is_undone_and_what_others_typed_is_not()
    {
        var text = _mine.GetText("text");
        var box = new Box();
        using var binding = new TextBinding(text, box);
        using var undo = new UndoManager([text], new UndoOptions { TrackedOrigins = [binding] });
        box.Type("mine", at: 0);
        text.Insert(0, "theirs ");

        undo.Undo();

        Assert.Equal("theirs ", box.Text);
    }

    [Fact]
    public void After_its_end_neither_follows_the_other()
    {
        var text = _mine.GetText("text");
        var box = new Box();
        var binding = new TextBinding(text, box);
        binding.Dispose();

        text.Insert(0, "text");
        Assert.Equal("", box.Text);
        box.Type("box", at: 0);

        Assert.Equal("text", text.ToString());
    }

    [Theory]
    [InlineData(1, false, "\n", false)]
    [InlineData(2, false, "\r\n", false)]
    [InlineData(3, true, "\n", false)]
    [InlineData(4, true, "\r\n", false)]
    [InlineData(5, true, "\n", true)]
    [InlineData(6, false, "\n", true)]
    [InlineData(7, true, "\n", true)]
    public void Random_edits_of_both_sides_at_once_lose_no_character_and_keep_the_caret(int seed, bool tellsLate, string newLine, bool unique)
    {
        var pieces = new Pieces(seed, unique);
        var random = new Random(seed);
        var text = _mine.GetText("text");
        var box = new Box { NewLine = newLine, TellsLate = tellsLate };
        using var binding = new TextBinding(text, box);
        for (var step = 0; step < 2_000; step++)
        {
            switch (random.Next(4))
            {
                case 0:
                    box.Select(Box.Boundary(box.Text, random.Next(box.Text.Length + 1)), 0);
                    break;
                case 1:
                    box.Type(pieces.Next().Replace("\n", newLine, StringComparison.Ordinal), box.SelectionStart);
                    break;
                case 2 when box.Text.Length > 0:
                    var from = Box.Boundary(box.Text, random.Next(box.Text.Length));
                    var to = Box.Boundary(box.Text, Math.Min(box.Text.Length, from + random.Next(1, 6)));
                    pieces.Remove(box.Text[from..to]);
                    box.Remove(from, to - from);
                    break;
                default:
                    EditTheirs(random, pieces);
                    // While the text does not know yet what was typed, it cannot say where the caret belongs.
                    var place = box.IsUntold ? null : StickyIndex.Create(text, box.PlaceInText, Association.Before);
                    Sync();
                    if (place is not null)
                        Assert.Equal(place.Resolve(_mine)!.Value.Index, box.PlaceInText);
                    break;
            }
            if (random.Next(3) == 0)
                box.Tell();
        }
        box.Tell();
        Sync();

        Assert.Equal(text.ToString(), box.Text.Replace(newLine, "\n", StringComparison.Ordinal));
        Assert.Equal(text.ToString(), _theirs.GetText("text").ToString());
        if (unique && !tellsLate)
            Assert.Equal(pieces.Left, text.ToString()!.Order());
        // Several changes that are told as one are one edit, which can bring back what others have deleted amidst. Nothing is lost or doubled.
        if (unique)
            Assert.Equal(pieces.Left, text.ToString()!.Order().Intersect(pieces.Left));
        if (unique)
            Assert.Distinct(text.ToString()!);
    }

    private void EditTheirs(Random random, Pieces pieces)
    {
        var text = _theirs.GetText("text");
        for (var edits = random.Next(1, 3); edits > 0; edits--)
        {
            var content = text.ToString()!;
            var at = Box.Boundary(content, random.Next(content.Length + 1));
            if (random.Next(3) > 0 || at == content.Length)
            {
                text.Insert(at, pieces.Next());
            }
            else
            {
                var to = Box.Boundary(content, Math.Min(content.Length, at + random.Next(1, 4)));
                pieces.Remove(content[at..to]);
                text.Delete(at, to - at);
            }
        }
    }

    // Only what they have is sent, as a server does: what is typed in the box and not told is not in the text.
    private void Sync()
    {
        _mine.ApplyV1(_theirs.StateDiffV1(_mine.StateVectorV1()), "theirs");
        _theirs.ApplyV1(_mine.StateDiffV1(_theirs.StateVectorV1()), "mine");
    }

    private (Text Text, Box Box) Bound(string content)
    {
        var text = _mine.GetText("text");
        text.Insert(0, content);
        var box = new Box();
        _ = new TextBinding(text, box);
        return (text, box);
    }

    /// <summary>What is typed: pieces that are alike, which make edits ambiguous, or characters of which each comes once, which can be counted.</summary>
    private sealed class Pieces(int seed, bool unique)
    {
        private static readonly string[] Alike = ["a", "aa", "b", "\n", "\U0001F600", "word ", "aba"];
        private readonly Random _random = new(seed + 1000);
        private readonly SortedSet<char> _left = [];
        private char _next = '\u4E00';

        public IEnumerable<char> Left => _left;

        public string Next()
        {
            if (!unique)
                return Alike[_random.Next(Alike.Length)];
            var piece = "";
            for (var length = _random.Next(1, 4); length > 0; length--)
            {
                _left.Add(_next);
                piece += _next++;
            }
            return piece;
        }

        public void Remove(string removed) => _left.ExceptWith(removed);
    }
}
