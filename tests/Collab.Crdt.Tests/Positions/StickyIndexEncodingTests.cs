using System.Text;

namespace Collab.Crdt.Tests.Positions;

/// <summary>The two forms of positions, byte by byte and member by member.</summary>
public sealed class StickyIndexEncodingTests
{
    private readonly Doc _doc = new(new DocOptions { ClientId = 7 });

    [Theory]
    [InlineData(1, Association.After, "00 07 01 00", """{"tname":"text","item":{"client":7,"clock":1},"assoc":0}""")]
    [InlineData(1, Association.Before, "00 07 00 41", """{"tname":"text","item":{"client":7,"clock":0},"assoc":-1}""")]
    [InlineData(3, Association.After, "01 04 74 65 78 74 00", """{"tname":"text","assoc":0}""")]
    [InlineData(0, Association.Before, "01 04 74 65 78 74 41", """{"tname":"text","assoc":-1}""")]
    public void In_a_root_it_names_a_unit_or_the_root(int index, Association association, string bytes, string json)
    {
        _doc.GetText("text").Insert(0, "abc");
        AssertForms(StickyIndex.Create(_doc.GetText("text"), index, association), bytes, json);
    }

    [Fact]
    public void At_the_end_of_a_nested_type_it_names_the_item_that_holds_it()
    {
        var text = new Text();
        _doc.GetArray("array").Push(text);
        AssertForms(StickyIndex.Create(text, 0), "02 07 00 00", """{"type":{"client":7,"clock":0},"assoc":0}""");
    }

    [Fact]
    public void A_root_without_a_name_is_left_out_only_where_a_unit_tells_it()
    {
        _doc.GetText().Insert(0, "a");
        AssertForms(StickyIndex.Create(_doc.GetText(), 0), "00 07 00 00", """{"item":{"client":7,"clock":0},"assoc":0}""");
        AssertForms(StickyIndex.Create(_doc.GetText(), 1), "01 00 00", """{"tname":"","assoc":0}""");
    }

    [Fact]
    public void Old_positions_without_association_are_those_after() =>
        Assert.Equal(StickyIndex.Decode([0, 7, 1, 0]), StickyIndex.Decode([0, 7, 1]));

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("00 07")]
    [InlineData("03 07 01 00")]
    [InlineData("01 02 61")]
    [InlineData("01 01 FF 00")]
    [InlineData("00 07 01 00 00")]
    [InlineData("00 07 FF FF FF FF FF FF FF 0F 00")]
    public void Bytes_that_are_no_position_are_refused(string bytes) =>
        Assert.Throws<InvalidUpdateException>(() => StickyIndex.Decode(FromHex(bytes)));

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"assoc":0}""")]
    [InlineData("""{"tname":3}""")]
    [InlineData("""{"item":"7:1"}""")]
    [InlineData("""{"item":{"client":7}}""")]
    [InlineData("""{"item":{"client":-1,"clock":0}}""")]
    [InlineData("""{"item":{"client":7,"clock":0.5}}""")]
    [InlineData("""{"item":{"client":7,"clock":1e300}}""")]
    [InlineData("""{"tname":"a","assoc":"x"}""")]
    public void Values_that_are_no_position_are_refused(string json) =>
        Assert.Throws<InvalidUpdateException>(() => StickyIndex.FromJson(Parse(json)));

    [Fact]
    public void Random_bytes_give_a_position_or_the_one_exception_and_can_be_resolved()
    {
        _doc.GetText("t").Insert(0, "abc");
        _doc.GetMap("m").Set("k", new Map([new("inner", 1)]));
        _doc.GetMap("m").Set("k", 2);
        var random = new Random(3);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = new byte[random.Next(8)];
            random.NextBytes(bytes);
            if (bytes.Length > 2 && i % 2 == 0)
                (bytes[0], bytes[1], bytes[2]) = ((byte)random.Next(3), 7, (byte)random.Next(8));
            try
            {
                var position = StickyIndex.Decode(bytes);
                position.Resolve(_doc);
                Assert.Equal(position, StickyIndex.Decode(position.Encode()));
                Assert.Equal(position, StickyIndex.FromJson(position.ToJson()));
            }
            catch (InvalidUpdateException)
            {
                // What is no position may say so.
            }
        }
    }

    private static void AssertForms(StickyIndex position, string bytes, string json)
    {
        Assert.Equal(FromHex(bytes), position.Encode());
        Assert.Equal(json, position.ToJson().ToString());
        Assert.Equal(position, StickyIndex.Decode(FromHex(bytes)));
        Assert.Equal(position, StickyIndex.FromJson(Parse(json)));
    }

    private static Any Parse(string json) => AnyJson.Parse(Encoding.UTF8.GetBytes(json), 0);

    private static byte[] FromHex(string bytes) => Convert.FromHexString(bytes.Replace(" ", "", StringComparison.Ordinal));
}
