using Collab.Crdt;

namespace Collab.Server.Documents.RichText;

/// <summary>Rich text of the common editors as HTML and as Markdown, and nothing in it that could do harm.</summary>
public sealed class RichTextTests
{
    [Fact]
    public void Tiptap_documents_are_HTML_and_Markdown()
    {
        var doc = Tiptap();

        Assert.Equal(
            "<h2>Minutes</h2><p>A <strong>bold</strong> and <em>soft</em> <a href=\"https://example.com/?a=1&amp;b=2\" rel=\"noopener noreferrer nofollow\">link</a><br>next</p>"
            + "<ul><li><p>one</p><ul><li><p>nested</p></li></ul></li><li><p>two</p></li></ul>"
            + "<ol start=\"3\"><li><p>three</p></li></ol>"
            + "<ul><li><input type=\"checkbox\" disabled checked><p>done</p></li><li><input type=\"checkbox\" disabled><p>open</p></li></ul>"
            + "<blockquote><p>said</p></blockquote><pre><code class=\"language-cs\">if (a &lt; b)\n  x();</code></pre><hr>"
            + "<table><tr><th><p>h</p></th><th><p>i</p></th></tr><tr><td><p>1</p></td><td><p>2</p></td></tr></table>"
            + "<img src=\"https://example.com/x.png\" alt=\"pic\">",
            RichTextView.ToHtml(doc, null));
        Assert.Equal(
            """
            ## Minutes

            A **bold** and *soft* [link](<https://example.com/?a=1&b=2>)\
            next

            - one
              - nested
            - two

            3. three

            - [x] done
            - [ ] open

            > said

            ```cs
            if (a < b)
              x();
            ```

            ---

            | h | i |
            | --- | --- |
            | 1 | 2 |

            ![pic](<https://example.com/x.png>)

            """.ReplaceLineEndings("\n"),
            RichTextView.ToMarkdown(doc, null));
    }

    [Fact]
    public void Quills_texts_are_HTML_and_Markdown()
    {
        var doc = new Doc();
        doc.GetText("quill").ApplyDelta(
        [
            Delta.Insert("Title"), Line("header", 1), Delta.Insert("plain "), Delta.Insert("bold", Attributes(("bold", true))), Delta.Insert("\n"),
            Delta.Insert("one"), Line("list", "ordered"), Delta.Insert("two"), Line("list", "ordered"), Delta.Insert("x < y"), Line("code-block", true),
            Delta.Insert("z"), Line("code-block", true), Delta.Insert("said"), Line("blockquote", true), Delta.Insert(Any.FromObject(("image", "https://example.com/i.png"))), Delta.Insert("\n"),
        ]);

        Assert.Equal(
            "<h1>Title</h1><p>plain <strong>bold</strong></p><ol><li><p>one</p></li><li><p>two</p></li></ol><pre><code>x &lt; y\nz</code></pre>"
            + "<blockquote><p>said</p></blockquote><p><img src=\"https://example.com/i.png\" alt=\"\"></p>",
            RichTextView.ToHtml(doc, null));
        Assert.Equal(
            "# Title\n\nplain **bold**\n\n1. one\n2. two\n\n```\nx < y\nz\n```\n\n> said\n\n![](<https://example.com/i.png>)\n",
            RichTextView.ToMarkdown(doc, "quill"));
    }

    [Theory]
    [InlineData("javascript:alert(1)")]
    [InlineData("data:text/html,<script>alert(1)</script>")]
    [InlineData("JaVaScRiPt:alert(1)")]
    [InlineData("vbscript:x")]
    [InlineData("//example.com\"onclick=\"x")]
    [InlineData("https://example.com/\"><script>alert(1)</script>")]
    public void What_strangers_write_does_nothing(string address)
    {
        var doc = new Doc();
        var fragment = doc.GetXmlFragment("default");
        XmlElement paragraph = new("paragraph"), image = new("image"), odd = new("script"), code = new("codeBlock");
        fragment.Push(paragraph, image, odd, code);
        var text = new XmlText("<script>alert(1)</script>");
        paragraph.Push(text);
        text.Format(0, 5, Attributes(("link", Any.FromObject(("href", address))), ("<b>", true)));
        image.SetAttribute("src", address);
        image.SetAttribute("alt", "\"><script>alert(1)</script>");
        odd.Push(new XmlText("alert(1)"));
        code.SetAttribute("language", "\"><script>");

        var html = RichTextView.ToHtml(doc, null);

        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("href=\"javascript", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("=\"data:", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("onclick=\"", html, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("1. not a list", "1\\. not a list\n")]
    [InlineData("- not a list", "\\- not a list\n")]
    [InlineData("# no heading", "\\# no heading\n")]
    [InlineData("*no* _marks_ [x](y) `c` <b>", "\\*no\\* \\_marks\\_ \\[x\\](y) \\`c\\` \\<b\\>\n")]
    public void Text_that_looks_like_Markdown_stays_text(string text, string expected)
    {
        var doc = new Doc();
        var paragraph = new XmlElement("paragraph");
        doc.GetXmlFragment("default").Push(paragraph);
        paragraph.Push(new XmlText(text));

        Assert.Equal(expected, RichTextView.ToMarkdown(doc, null));
    }

    private static Doc Tiptap()
    {
        var doc = new Doc();
        var root = doc.GetXmlFragment("default");
        Element(root, "heading", "Minutes", ("level", 2));
        var paragraph = Element(root, "paragraph", "A bold and soft link");
        var text = (XmlText)paragraph.FirstChild!;
        text.Format(2, 4, Attributes(("bold", Any.FromObject())));
        text.Format(11, 4, Attributes(("italic", Any.FromObject())));
        text.Format(16, 4, Attributes(("link", Any.FromObject(("href", "https://example.com/?a=1&b=2")))));
        paragraph.Push(new XmlElement("hardBreak"), new XmlText("next"));
        var bullets = Element(root, "bulletList");
        var one = Element(bullets, "listItem");
        Element(one, "paragraph", "one");
        Element(Element(Element(one, "bulletList"), "listItem"), "paragraph", "nested");
        Element(Element(bullets, "listItem"), "paragraph", "two");
        Element(Element(Element(root, "orderedList", null, ("start", 3)), "listItem"), "paragraph", "three");
        var tasks = Element(root, "taskList");
        Element(Element(tasks, "taskItem", null, ("checked", true)), "paragraph", "done");
        Element(Element(tasks, "taskItem", null, ("checked", false)), "paragraph", "open");
        Element(Element(root, "blockquote"), "paragraph", "said");
        Element(root, "codeBlock", "if (a < b)\n  x();", ("language", "cs"));
        Element(root, "horizontalRule");
        var table = Element(root, "table");
        var (head, row) = (Element(table, "tableRow"), Element(table, "tableRow"));
        foreach (var (cell, letters) in new[] { (Element(head, "tableHeader"), "h"), (Element(head, "tableHeader"), "i"), (Element(row, "tableCell"), "1"), (Element(row, "tableCell"), "2") })
            Element(cell, "paragraph", letters);
        Element(root, "image", null, ("src", "https://example.com/x.png"), ("alt", "pic"));
        return doc;
    }

    private static XmlElement Element(XmlFragment parent, string name, string? text = null, params (string Name, Any Value)[] attributes)
    {
        var element = new XmlElement(name);
        parent.Push(element);
        foreach (var (attribute, value) in attributes)
            element.SetAttribute(attribute, value);
        if (text is not null)
            element.Push(new XmlText(text));
        return element;
    }

    private static Delta Line(string name, Any value) => Delta.Insert("\n", Attributes((name, value)));

    private static Dictionary<string, Any> Attributes(params (string Name, Any Value)[] attributes) =>
        attributes.ToDictionary(attribute => attribute.Name, attribute => attribute.Value);
}
