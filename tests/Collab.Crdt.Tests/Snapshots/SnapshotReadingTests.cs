namespace Collab.Crdt.Tests.Snapshots;

/// <summary>What texts, arrays, maps and XML nodes were at a snapshot, read from the document as it is now.</summary>
public sealed class SnapshotReadingTests
{
    private readonly Doc _doc = new(new DocOptions { ClientId = 7, Gc = false });
    private readonly Text _text;

    public SnapshotReadingTests() => _text = _doc.GetText("text");

    [Fact]
    public void A_text_has_the_text_and_the_formats_of_then()
    {
        _text.Insert(0, "abcd");
        _text.Format(1, 2, new Dictionary<string, Any> { ["bold"] = true });
        var snapshot = _doc.Snapshot();
        _text.Format(0, 4, new Dictionary<string, Any> { ["bold"] = Any.Null, ["em"] = true });
        _text.Delete(0, 2);
        Assert.Equal("""{"insert":"a"} {"insert":"bc","attributes":{"bold":true}} {"insert":"d"}""", Show(_text.ToDelta(snapshot)));
    }

    [Fact]
    public void A_text_shows_what_was_added_and_removed_since_another_snapshot()
    {
        _text.Insert(0, "one two");
        var before = _doc.Snapshot();
        _text.Delete(0, 4);
        _text.Insert(3, "!");
        Assert.Equal(
            """{"insert":"one ","attributes":{"ychange":{"type":"removed"}}} {"insert":"two"} {"insert":"!","attributes":{"ychange":{"type":"added"}}}""",
            Show(_text.ToDelta(_doc.Snapshot(), before)));
    }

    [Fact]
    public void Without_a_snapshot_the_present_is_compared()
    {
        _text.Insert(0, "ab");
        var before = _doc.Snapshot();
        _text.Delete(0, 1);
        Assert.Equal(Show(_text.ToDelta(_doc.Snapshot(), before)), Show(_text.ToDelta(null, before)));
    }

    [Fact]
    public void The_application_says_whose_a_change_is()
    {
        _text.Insert(0, "ab");
        var before = _doc.Snapshot();
        _text.Delete(1, 1);
        using var other = new Doc(new DocOptions { ClientId = 9, Gc = false });
        other.ApplyV1(_doc.StateDiffV1());
        other.GetText("text").Insert(1, "x");
        _doc.ApplyV1(other.StateDiffV1());

        var seen = new List<TextChange>();
        var delta = _text.ToDelta(_doc.Snapshot(), before, change =>
        {
            seen.Add(change);
            return Any.FromObject(("type", "changed"), ("by", (double)change.ClientId));
        });
        Assert.Equal([new(TextChangeKind.Added, 9, 0), new TextChange(TextChangeKind.Removed, 7, 1)], seen.OrderByDescending(change => change.ClientId));
        Assert.Equal(9, delta.First(run => run.Value == "x").Attributes!["ychange"].AsObject()["by"].AsNumber());
    }

    [Fact]
    public void Runs_of_one_client_are_one_when_the_attribute_has_it_as_the_user()
    {
        _text.Insert(0, "a");
        _text.Insert(0, "b");
        var byUser = _text.ToDelta(_doc.Snapshot(), Snapshot.Empty, change => Any.FromObject(("type", "added"), ("user", (double)change.ClientId)));
        Assert.Equal("ba", Assert.Single(byUser).Value.AsString());
        Assert.Equal(2, _text.ToDelta(_doc.Snapshot(), Snapshot.Empty).Count);
    }

    [Fact]
    public void A_border_within_a_surrogate_pair_leaves_the_replacement_character_and_the_text_whole()
    {
        _text.Insert(0, "x😀");
        var snapshot = Snapshot.DecodeV1([0, 1, 7, 2]);
        Assert.Equal("x\uFFFD", _text.ToDelta(snapshot).Single().Value.AsString());
        Assert.Equal("x😀", _text.ToString());
    }

    [Fact]
    public void An_array_has_the_values_of_then_also_from_the_middle_of_a_run()
    {
        var array = _doc.GetArray("array");
        array.Push(1, 2);
        var snapshot = _doc.Snapshot();
        array.Push(3);
        array.Delete(0);
        Assert.Equal([1, 2], array.ToArray(snapshot));
    }

    [Fact]
    public void A_map_has_the_entries_of_then()
    {
        var map = _doc.GetMap("map");
        map.Set("kept", 1);
        map.Set("changed", "old");
        map.Set("removed", true);
        map.Remove("gone");
        var snapshot = _doc.Snapshot();
        map.Set("changed", "new");
        map.Remove("removed");
        map.Set("added", 2);
        Assert.Equal([new("kept", 1), new("changed", "old"), new("removed", true)], map.EntriesAt(snapshot));
    }

    [Fact]
    public void A_map_has_the_value_of_then_also_when_later_values_of_the_key_have_gone()
    {
        var map = _doc.GetMap("map");
        map.Set("key", 1);
        var first = _doc.Snapshot();
        map.Set("key", 2);
        var second = _doc.Snapshot();
        map.Remove("key");
        Assert.Equal(1, map.EntriesAt(first)["key"]);
        Assert.Equal(2, map.EntriesAt(second)["key"]);
        Assert.Empty(map.EntriesAt(_doc.Snapshot()));
    }

    [Fact]
    public void Xml_nodes_have_the_children_and_attributes_of_then()
    {
        var xml = _doc.GetXmlFragment("xml");
        var (element, text) = (new XmlElement("p"), new XmlText("t"));
        xml.Push(element, text);
        element.SetAttribute("class", "old");
        text.SetAttribute("lang", "en");
        var snapshot = _doc.Snapshot();
        element.SetAttribute("class", "new");
        text.RemoveAttribute("lang");
        xml.Push(new XmlElement("div"));
        xml.Delete(0);
        Assert.Equal([element, text], xml.ChildrenAt(snapshot));
        Assert.Equal("old", element.AttributesAt(snapshot)["class"]);
        Assert.Equal("en", text.AttributesAt(snapshot)["lang"]);
    }

    private static string Show(IEnumerable<Delta> delta) => string.Join(' ', delta);
}
