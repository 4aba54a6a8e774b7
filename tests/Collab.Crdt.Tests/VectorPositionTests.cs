using System.Text;
using System.Text.Json;

namespace Collab.Crdt.Tests;

/// <summary>The positions in the vectors: their two forms, and where they are in the final document.</summary>
public sealed class VectorPositionTests
{
    [Fact]
    public void Bytes_and_json_say_the_same_and_are_written_as_yjs_writes_them()
    {
        var count = 0;
        foreach (var (_, position) in All())
        {
            var bytes = position.GetProperty("bytes").Bytes();
            var json = position.GetProperty("json").GetRawText();
            var (decoded, fromJson) = (StickyIndex.Decode(bytes), StickyIndex.FromJson(AnyJson.Parse(Encoding.UTF8.GetBytes(json), 0)));
            Assert.Equal(decoded, fromJson);
            Assert.Equal(bytes, decoded.Encode());
            Assert.Equal(bytes, fromJson.Encode());
            Assert.Equal(JsonSerializer.Serialize(JsonSerializer.Deserialize<JsonElement>(json)), fromJson.ToJson().ToString());
            count++;
        }
        Assert.NotEqual(0, count);
    }

    [Fact]
    public void In_the_final_document_they_are_where_they_are_in_yjs()
    {
        foreach (var (document, position) in All())
        {
            using var doc = Finished(document);
            var place = StickyIndex.Decode(position.GetProperty("bytes").Bytes()).Resolve(doc);
            var expected = position.GetProperty("finalIndex");
            Assert.Equal(expected.ValueKind == JsonValueKind.Number ? expected.GetInt32() : null, place?.Index);
        }
    }

    private static IEnumerable<(DocumentCase Document, JsonElement Position)> All() =>
        Vectors.Documents.Where(document => document.Json.TryGetProperty("relpos", out _))
            .SelectMany(document => document.Json.GetProperty("relpos").EnumerateArray().Select(position => (document, position)));

    private static Doc Finished(DocumentCase document)
    {
        var doc = new Doc(new DocOptions { Gc = document.Json.GetProperty("gc").GetBoolean() });
        doc.GetText("text");
        doc.GetText("rich");
        doc.GetArray("arr");
        doc.GetMap("map");
        doc.GetXmlFragment("xml");
        foreach (var index in document.Json.GetProperty("orders")[0].EnumerateArray())
            doc.ApplyV1(document.Updates[index.GetInt32()].Span);
        return doc;
    }
}
