namespace Collab.Crdt.Tests.Documents;

/// <summary>Roots as they look to whoever has only the updates.</summary>
public sealed class RootTests
{
    public static TheoryData<string, Action<Doc>, RootKind, string> Contents => new()
    {
        { "text", doc => doc.GetText("r").Insert(0, "hi"), RootKind.Text, "hi" },
        { "an embed with a format", doc => { doc.GetText("r").Insert(0, "x", Bold); doc.GetText("r").Delete(0, 1); doc.GetText("r").InsertEmbed(0, 1, Bold); }, RootKind.Text, "" },
        { "an embed alone", doc => doc.GetText("r").InsertEmbed(0, Any.FromObject(("image", "x.png"))), RootKind.Text, "" },
        { "values", doc => doc.GetArray("r").Push(1, "two", Any.Null), RootKind.Array, """[1,"two",null]""" },
        { "a map in a list", doc => doc.GetArray("r").Push(new Map { ["a"] = true }), RootKind.Array, """[{"a":true}]""" },
        { "a subdocument", doc => doc.GetArray("r").Push(new Doc(new DocOptions { Guid = "sub" })), RootKind.Array, """[{"guid":"sub"}]""" },
        { "entries", doc => doc.GetMap("r")["list"] = new YArray(1, 2), RootKind.Map, """{"list":[1,2]}""" },
        { "an element", doc => doc.GetXmlFragment("r").Push(new XmlElement("p")), RootKind.Xml, "<p></p>" },
        { "XML text", doc => doc.GetXmlFragment("r").Push(new XmlText("hi")), RootKind.Xml, "hi" },
        { "nothing any more", doc => { doc.GetText("r").Insert(0, "hi"); doc.GetText("r").Delete(0, 2); }, RootKind.Empty, "null" },
        { "no entry any more", doc => { doc.GetMap("r")["a"] = 1; doc.GetMap("r").Remove("a"); }, RootKind.Empty, "null" },
    };

    private static Dictionary<string, Any> Bold => new() { ["bold"] = true };

    [Theory, MemberData(nameof(Contents))]
    public void A_root_is_what_is_visible_in_it(string what, Action<Doc> fill, RootKind kind, string json)
    {
        using var writer = new Doc();
        fill(writer);
        using var reader = new Doc();
        reader.ApplyV1(writer.StateDiffV1());

        Assert.Equal((what, kind), (what, reader.LooksLike("r")));
        Assert.Equal(json, reader.RootToJson("r").ToString());
        Assert.Equal(json, writer.RootToJson("r").ToString());
    }

    [Fact]
    public void Looking_gives_a_root_no_type()
    {
        using var writer = new Doc();
        writer.GetArray("r").Push(new Text("embedded, or a value"));
        using var reader = new Doc();
        reader.ApplyV1(writer.StateDiffV1());

        Assert.Equal(RootKind.Array, reader.LooksLike("r"));
        _ = reader.RootToJson("r");

        Assert.Equal(1, reader.GetText("r").Length);
    }

    [Fact]
    public void A_name_that_is_no_root_looks_empty()
    {
        using var doc = new Doc();

        Assert.Equal(RootKind.Empty, doc.LooksLike("none"));
        Assert.True(doc.RootToJson("none").IsNullish);
        Assert.Empty(doc.RootNames);
    }
}
