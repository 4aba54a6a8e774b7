using System.Globalization;
using System.Text;

namespace Collab.Crdt.Tests.Oracle;

/// <summary>JSON is read and written as JavaScript does, character by character.</summary>
public sealed class JsonDifferentialTests(YjsOracle yjs) : IClassFixture<YjsOracle>
{
    [Fact]
    public async Task Numbers_have_the_digits_of_JavaScript()
    {
        var random = new Random(1);
        List<string> numbers = ["0", "-0", "1e21", "1e20", "123456789012345680000", "1e-6", "1e-7", "1.5e-7", "0.000001234", "5e-324", "1e400",
            "1.7976931348623157e308", "9007199254740993", "-9007199254740992", "0.1", "100", "1e2", "12.50", "4.35", "1.1e300", "2e0"];
        for (var i = 0; i < 20_000; i++)
        {
            var number = (i % 3) switch
            {
                0 => BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue)),
                1 => Math.Round(random.NextDouble() * Math.Pow(10, random.Next(-8, 24)), random.Next(0, 15)),
                _ => random.NextInt64() / Math.Pow(10, random.Next(0, 25)),
            };
            if (double.IsFinite(number))
                numbers.Add(number.ToString("E16", CultureInfo.InvariantCulture));
        }
        await AssertAsJavaScript(numbers);
    }

    [Fact]
    public async Task Strings_are_escaped_as_in_JavaScript()
    {
        var random = new Random(2);
        string[] pieces = ["a", "\\n", "\\u0000", "\\u001f", "\\u007F", "\\ud83d\\ude00", "\\uD800", "\\udc00x", "\\\"", "\\/", "é", "漢", "😀", "\\u2028", "<&>", "\\b\\f\\r\\t\\\\"];
        var texts = Enumerable.Range(0, 2000).Select(_ => $"\"{string.Concat(random.GetItems(pieces, random.Next(6)))}\"");
        await AssertAsJavaScript(texts.ToList());
    }

    [Fact]
    public async Task Objects_and_lists_are_written_as_in_JavaScript() => await AssertAsJavaScript(
    [
        "{}", "[]", " [ 1 , [ ] , { \"a\" : { \"b\" : [ null , true , false ] } } ] ", """{"b":1,"a":2,"b":3}""", """{"":{"":""}}""",
        """{"\u0061":1,"a":2}""", """[[[[[1]],2]],{"x":[{}]}]""", "\t\"a\"\n", "null", " true",
    ]);

    private async Task AssertAsJavaScript(List<string> texts)
    {
        var expected = await yjs.JsonAsync(texts);
        for (var i = 0; i < texts.Count; i++)
            Assert.Equal((texts[i], expected[i]), (texts[i], AnyJson.Stringify(AnyJson.Parse(Encoding.UTF8.GetBytes(texts[i]), 0))));
    }
}
