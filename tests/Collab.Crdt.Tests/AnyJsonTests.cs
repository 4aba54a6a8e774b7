using System.Text;

namespace Collab.Crdt.Tests;

/// <summary>JSON of what only values can hold, and JSON that is none. (The rest is compared with JavaScript itself.)</summary>
public sealed class AnyJsonTests
{
    [Fact]
    public void What_JSON_lacks_is_written_as_JavaScript_writes_it()
    {
        var value = Any.FromObject(
            ("gone", Any.Undefined), ("list", new Any[] { Any.Undefined, double.NaN, double.NegativeInfinity, -0.0 }),
            ("bytes", new byte[] { 1, 250 }), ("2", 1), ("1", 2), ("big", long.MinValue), ("half", "\ud83d"), ("plain", "<é\u2028>\u007f"));
        Assert.Equal(
            """{"list":[null,null,null,0],"bytes":{"0":1,"1":250},"2":1,"1":2,"big":-9223372036854775808,"half":"\ud83d","plain":"<é"""
            + "\u2028>\u007f\"}",
            AnyJson.Stringify(value));
        Assert.Equal("null", AnyJson.Stringify(Any.Undefined));
    }

    [Fact]
    public void Of_equal_names_the_last_counts_at_the_place_of_the_first() =>
        Assert.Equal("""{"b":3,"2":0,"a":2}""", AnyJson.Stringify(Parse("""{"b":1,"2":0,"a":2,"b":3}""")));

    [Fact]
    public void Numbers_beyond_a_float_become_infinite_as_in_JavaScript() => Assert.Equal(double.NegativeInfinity, Parse("-1e999").AsNumber());

    [Theory]
    [InlineData(""), InlineData(" "), InlineData("{]"), InlineData("[1,]"), InlineData("01"), InlineData("\"\\x\""), InlineData("\"a\u0001\"")]
    [InlineData("\"a"), InlineData("1 2"), InlineData("nul"), InlineData("\ufeff1"), InlineData("{\"a\":1}}"), InlineData("'a'")]
    public void What_is_no_JSON_is_refused(string text)
    {
        var fault = Assert.Throws<InvalidUpdateException>(() => Parse(text)).Fault;
        Assert.Equal(UpdateFaultKind.InvalidJson, fault.Kind);
        Assert.InRange(fault.Offset, 7, 7 + Encoding.UTF8.GetByteCount(text));
    }

    [Theory, InlineData("["), InlineData("{\"a\":")]
    public void Nesting_is_limited(string open)
    {
        var text = string.Concat(Enumerable.Repeat(open, 100_000));
        Assert.Equal(UpdateFaultKind.TooDeep, Assert.Throws<InvalidUpdateException>(() => Parse(text)).Fault.Kind);
        var deepest = new string('[', JsonParser.MaxDepth) + new string(']', JsonParser.MaxDepth);
        Assert.Equal(deepest, AnyJson.Stringify(Parse(deepest)));
    }

    [Fact]
    public void What_the_application_nests_without_end_is_an_exception_and_no_crash()
    {
        var value = Any.Null;
        for (var i = 0; i < 1_000_000; i++)
            value = new[] { value };
        Assert.Throws<InsufficientExecutionStackException>(() => AnyJson.Stringify(value));
    }

    [Fact]
    public void Documents_have_no_JSON_of_their_own() => Assert.Throws<InvalidOperationException>(() => AnyJson.Stringify(new Any[] { new Doc() }));

    private static Any Parse(string text) => AnyJson.Parse(Encoding.UTF8.GetBytes(text), offset: 7);
}
