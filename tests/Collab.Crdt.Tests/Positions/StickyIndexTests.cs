namespace Collab.Crdt.Tests.Positions;

/// <summary>Positions that stay where they are while the document changes around them.</summary>
public sealed class StickyIndexTests
{
    private readonly Doc _doc = new(new DocOptions { ClientId = 7 });
    private readonly Text _text;

    public StickyIndexTests()
    {
        _text = _doc.GetText("text");
        _text.Insert(0, "abcd");
    }

    [Fact]
    public void It_moves_with_what_is_inserted_before_it()
    {
        var position = StickyIndex.Create(_text, 2);
        _text.Insert(0, "123");
        Assert.Equal((_text, 5), position.Resolve(_doc));
    }

    [Fact]
    public void It_stays_when_something_is_inserted_after_it()
    {
        var position = StickyIndex.Create(_text, 2);
        _text.Insert(3, "123");
        Assert.Equal((_text, 2), position.Resolve(_doc));
    }

    [Theory]
    [InlineData(Association.After, 3)]
    [InlineData(Association.Before, 2)]
    public void What_is_inserted_exactly_there_comes_before_or_after_it(Association association, int expected)
    {
        var position = StickyIndex.Create(_text, 2, association);
        _text.Insert(2, "x");
        Assert.Equal((_text, expected), position.Resolve(_doc));
    }

    [Theory]
    [InlineData(4, Association.After, 6)]
    [InlineData(4, Association.Before, 5)]
    [InlineData(0, Association.After, 1)]
    [InlineData(0, Association.Before, 0)]
    public void At_an_end_without_neighbour_it_stays_at_that_end(int index, Association association, int expected)
    {
        var position = StickyIndex.Create(_text, index, association);
        _text.Insert(0, "<");
        _text.Insert(5, ">");
        Assert.Equal((_text, expected), position.Resolve(_doc));
    }

    [Fact]
    public void It_falls_back_to_where_its_neighbour_was_deleted()
    {
        var position = StickyIndex.Create(_text, 2);
        _text.Delete(1, 3);
        Assert.Equal((_text, 1), position.Resolve(_doc));
    }

    [Fact]
    public void It_means_the_same_place_on_another_replica()
    {
        var other = new Doc();
        other.GetText("text").Insert(0, "++");
        other.ApplyV1(_doc.StateDiffV1());
        var there = StickyIndex.Decode(StickyIndex.Create(_text, 3).Encode()).Resolve(other);
        Assert.Equal("d", other.GetText("text").ToString().Substring(there!.Value.Index, 1));
    }

    [Fact]
    public void It_is_nowhere_before_its_neighbour_has_come()
    {
        var other = new Doc();
        other.GetText("text");
        Assert.Null(StickyIndex.Create(_text, 2).Resolve(other));
    }

    [Fact]
    public void It_is_nowhere_while_the_application_has_not_said_of_which_type_the_root_is()
    {
        var other = new Doc();
        var (inText, atEnd) = (StickyIndex.Create(_text, 2), StickyIndex.Create(_text, 4));
        Assert.Null(atEnd.Resolve(other));
        other.ApplyV1(_doc.StateDiffV1());
        Assert.Null(inText.Resolve(other));
        Assert.Null(atEnd.Resolve(other));
        other.GetText("text");
        Assert.Equal(2, inText.Resolve(other)!.Value.Index);
    }

    [Fact]
    public void It_is_nowhere_once_its_type_was_deleted_and_collected()
    {
        var array = _doc.GetArray("array");
        var nested = new Text("abc");
        array.Push(nested);
        var (inside, atEnd) = (StickyIndex.Create(nested, 1), StickyIndex.Create(nested, 3));
        array.Delete(0);
        Assert.Null(inside.Resolve(_doc));
        Assert.Null(atEnd.Resolve(_doc));
    }

    [Fact]
    public void It_works_in_arrays_and_among_xml_nodes()
    {
        var array = _doc.GetArray("array");
        array.Push(1, 2, 3);
        var xml = _doc.GetXmlFragment("xml");
        xml.Push(new XmlElement("p"), new XmlElement("div"));
        var (inArray, inXml) = (StickyIndex.Create(array, 2), StickyIndex.Create(xml, 1));
        array.Insert(0, "a", "b");
        xml.Delete(0);
        Assert.Equal((array, 4), inArray.Resolve(_doc));
        Assert.Equal((xml, 0), inXml.Resolve(_doc));
    }

    [Fact]
    public void A_map_as_a_whole_can_be_named()
    {
        var map = _doc.GetMap("map");
        map.Set("key", 1);
        Assert.Equal((map, 0), StickyIndex.Create(map, 0).Resolve(_doc));
    }

    [Fact]
    public void It_goes_to_where_an_undo_has_inserted_its_neighbour_again()
    {
        using var undo = new UndoManager([_text], new UndoOptions { CaptureTimeout = TimeSpan.Zero });
        var position = StickyIndex.Create(_text, 2);
        _text.Delete(1, 3);
        undo.Undo();
        _text.Insert(0, "x");
        Assert.Equal("xabcd", _text.ToString());
        Assert.Equal((_text, 3), position.Resolve(_doc));
        Assert.NotEqual(3, position.Resolve(_doc, followUndone: false)!.Value.Index);
    }

    [Fact]
    public void In_a_long_text_it_agrees_with_counting()
    {
        var random = new Random(1);
        for (var i = 0; i < 2000; i++)
            _text.Insert(random.Next(_text.Length + 1), "xy");
        var positions = Enumerable.Range(0, _text.Length + 1).Select(index => (Index: index, Position: StickyIndex.Create(_text, index))).ToArray();
        Assert.All(positions, at => Assert.Equal((_text, at.Index), at.Position.Resolve(_doc)));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(-1)]
    public void An_index_outside_the_text_is_refused(int index) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => StickyIndex.Create(_text, index));

    [Fact]
    public void A_type_without_document_has_no_positions() =>
        Assert.Throws<InvalidOperationException>(() => StickyIndex.Create(new Text("abc"), 1));

    [Fact]
    public void Positions_are_equal_when_they_have_the_same_neighbour_and_association()
    {
        var position = StickyIndex.Create(_text, 2);
        Assert.Equal(position, StickyIndex.Create(_text, 2));
        Assert.Equal(position, StickyIndex.Decode(position.Encode()));
        Assert.Equal(position.GetHashCode(), StickyIndex.Decode(position.Encode()).GetHashCode());
        Assert.NotEqual(position, StickyIndex.Create(_text, 3));
        Assert.NotEqual(position, StickyIndex.Create(_text, 3, Association.Before));
        Assert.NotEqual(StickyIndex.Create(_text, 4), StickyIndex.Create(_doc.GetText("other"), 0));
    }
}
