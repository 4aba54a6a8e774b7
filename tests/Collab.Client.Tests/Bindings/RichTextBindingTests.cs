using Collab.Crdt;

namespace Collab.Client.Tests.Bindings;

/// <summary>Rich text shows as lines in a plain text box, and what is typed there is edited as an editor would.</summary>
public sealed class RichTextBindingTests
{
    private readonly Doc _mine = new(new DocOptions { ClientId = 1 });
    private readonly Doc _theirs = new(new DocOptions { ClientId = 2 });

    private XmlFragment Fragment => _mine.GetXmlFragment("default");

    [Fact]
    public void Every_block_of_text_is_a_line_however_deep_it_lies()
    {
        Fill(Fragment);
        var box = new Box();

        using var binding = new RichTextBinding(Fragment, box);

        Assert.Equal("Title\nSome bold text\nfirst\nsecond\n\uFFFC\na = 1;\nb = 2;\n\none\uFFFCtwo", box.Text);
    }

    [Theory]
    [InlineData(15, 0, "ly", "<paragraph>Some <bold>boldly</bold> text</paragraph>")]
    [InlineData(5, 0, "\nnew", "<heading level=\"1\">Title</heading><paragraph>new</paragraph><paragraph>Some <bold>bold</bold> text</paragraph>")]
    [InlineData(13, 0, "\n", "<paragraph>Some <bold>bo</bold></paragraph><paragraph><bold>ld</bold> text</paragraph>")]
    [InlineData(5, 1, "", "<heading level=\"1\">TitleSome <bold>bold</bold> text</heading>")]
    [InlineData(26, 0, "\nmiddle", "<listItem><paragraph>first</paragraph></listItem><listItem><paragraph>middle</paragraph></listItem><listItem><paragraph>second</paragraph></listItem>")]
    [InlineData(20, 13, "", "<paragraph>Some <bold>bold</bold> text</paragraph><horizontalRule></horizontalRule>")]
    [InlineData(34, 1, "", "</bulletList><codeBlock>a = 1;\nb = 2;</codeBlock>")]
    [InlineData(36, 0, "x\n", "<codeBlock>x\na = 1;\nb = 2;</codeBlock>")]
    [InlineData(50, 0, "filled", "<paragraph>filled</paragraph>")]
    [InlineData(54, 1, "", "<paragraph>onetwo</paragraph>")]
    [InlineData(54, 0, "\n", "<paragraph>one</paragraph><paragraph><hardBreak></hardBreak>two</paragraph>")]
    [InlineData(34, 0, "before", "</bulletList><paragraph>before</paragraph><horizontalRule></horizontalRule>")]
    [InlineData(35, 0, "after", "<horizontalRule></horizontalRule><paragraph>after</paragraph><codeBlock>")]
    [InlineData(0, 58, "all", "<heading level=\"1\">all</heading>")]
    public void What_is_typed_is_edited_as_an_editor_would(int place, int deleted, string inserted, string expected)
    {
        Fill(Fragment);
        var box = new Box();
        using var binding = new RichTextBinding(Fragment, box);

        box.Replace(place, deleted, inserted);

        Assert.True(Fragment.ToString().Contains(expected, StringComparison.OrdinalIgnoreCase), Fragment.ToString());
        Assert.Equal(new RichTextBlocks(Fragment).Text, box.Text);
    }

    [Fact]
    public void The_first_letter_of_an_empty_document_begins_a_paragraph()
    {
        var box = new Box();
        using var binding = new RichTextBinding(Fragment, box);

        box.Type("h", 0);
        box.Type("i", 1);

        Assert.Equal("<paragraph>hi</paragraph>", Fragment.ToString());
    }

    [Fact]
    public void What_others_do_elsewhere_leaves_the_caret_in_its_line()
    {
        Fill(Fragment);
        var box = new Box();
        using var binding = new RichTextBinding(Fragment, box);
        box.Select(box.Text.IndexOf("bold", StringComparison.Ordinal) + 2, 0);

        Fragment.Insert(0, new XmlElement("paragraph"));
        ((XmlText)((XmlElement)Fragment[2]!).FirstChild!).Insert(0, ">> ");

        Assert.StartsWith("\nTitle\n>> Some bo", box.Text, StringComparison.Ordinal);
        Assert.Equal(box.Text.IndexOf("bold", StringComparison.Ordinal) + 2, box.SelectionStart);
        Fragment.Delete(2);
        Assert.Equal("\nTitle".Length, box.SelectionStart);
    }

    [Fact]
    public void A_place_that_moves_with_the_text_is_found_again()
    {
        Fill(Fragment);
        var box = new Box();
        using var binding = new RichTextBinding(Fragment, box);
        foreach (var word in new[] { "bold", "second", "b = 2" })
        {
            var place = box.Text.IndexOf(word, StringComparison.Ordinal);
            var sticky = StickyIndex.FromJson(binding.ToStickyIndex(place).ToJson());

            Fragment.Insert(0, new XmlElement("paragraph"));

            Assert.Equal(box.Text.IndexOf(word, StringComparison.Ordinal), binding.ToPlace(sticky));
        }
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(4, true)]
    public void Random_edits_of_both_sides_at_once_leave_both_the_same(int seed, bool tellsLate)
    {
        var random = new Random(seed);
        Fill(Fragment);
        Sync();
        var box = new Box { TellsLate = tellsLate };
        using var binding = new RichTextBinding(Fragment, box);
        string[] pieces = ["a", "bb", "\n", "c\nd", "\U0001F600"];
        for (var step = 0; step < 1_000; step++)
        {
            switch (random.Next(3))
            {
                case 0:
                    box.Type(pieces[random.Next(pieces.Length)], Box.Boundary(box.Text, random.Next(box.Text.Length + 1)));
                    break;
                case 1 when box.Text.Length > 0:
                    var from = Box.Boundary(box.Text, random.Next(box.Text.Length));
                    var to = Box.Boundary(box.Text, Math.Min(box.Text.Length, from + random.Next(1, 8)));
                    box.Replace(from, to - from, random.Next(3) == 0 ? "z" : "");
                    break;
                default:
                    EditTheirs(random);
                    Sync();
                    break;
            }
            if (random.Next(2) == 0)
                box.Tell();
        }
        box.Tell();
        Sync();

        Assert.Equal(new RichTextBlocks(Fragment).Text, box.Text);
        Assert.Equal(Fragment.ToString(), _theirs.GetXmlFragment("default").ToString());
    }

    private void EditTheirs(Random random)
    {
        var fragment = _theirs.GetXmlFragment("default");
        var blocks = new RichTextBlocks(fragment).Blocks;
        var texts = blocks.SelectMany(block => block.Parts).Select(part => part.Node).OfType<XmlText>().ToArray();
        switch (random.Next(4))
        {
            case 0 when fragment.Length > 3:
                fragment.Delete(random.Next(fragment.Length));
                break;
            case 1:
                var paragraph = new XmlElement("paragraph");
                fragment.Insert(random.Next(fragment.Length + 1), paragraph);
                paragraph.Push(new XmlText("theirs"));
                break;
            case 2 when texts.Length > 0 && texts[random.Next(texts.Length)] is { Length: > 2 } text:
                text.Delete(random.Next(text.Length - 1), 1);
                break;
            default:
                if (texts.Length > 0)
                    texts[random.Next(texts.Length)].Insert(0, "t", new Dictionary<string, Any> { ["bold"] = true });
                break;
        }
    }

    private void Sync()
    {
        _mine.ApplyV1(_theirs.StateDiffV1(_mine.StateVectorV1()), "theirs");
        _theirs.ApplyV1(_mine.StateDiffV1(_theirs.StateVectorV1()), "mine");
    }

    private static void Fill(XmlFragment fragment)
    {
        var bold = new Dictionary<string, Any> { ["bold"] = Any.FromObject() };
        XmlElement heading = new("heading"), paragraph = new("paragraph"), list = new("bulletList"), code = new("codeBlock"), broken = new("paragraph");
        heading.SetAttribute("level", 1);
        fragment.Push(heading, paragraph, list, new XmlElement("horizontalRule"), code, new XmlElement("paragraph"), broken);
        heading.Push(new XmlText("Title"));
        var text = new XmlText("Some  text");
        paragraph.Push(text);
        text.Insert(5, "bold", bold);
        foreach (var line in new[] { "first", "second" })
        {
            XmlElement item = new("listItem"), inner = new("paragraph");
            list.Push(item);
            item.Push(inner);
            inner.Push(new XmlText(line));
        }
        code.Push(new XmlText("a = 1;\nb = 2;"));
        broken.Push(new XmlText("one"), new XmlElement("hardBreak"), new XmlText("two"));
    }
}
