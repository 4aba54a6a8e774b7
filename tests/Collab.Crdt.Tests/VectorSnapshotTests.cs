using System.Text.Json;

namespace Collab.Crdt.Tests;

/// <summary>The snapshots in the vectors: their two formats, and the text that a later document has at them.</summary>
public sealed class VectorSnapshotTests
{
    [Fact]
    public void Both_formats_say_the_same_and_are_written_as_yjs_writes_them()
    {
        var count = 0;
        foreach (var (_, json) in All())
        {
            var (v1, v2) = (json.GetProperty("v1").Bytes(), json.GetProperty("v2").Bytes());
            var snapshot = Snapshot.DecodeV1(v1);
            Assert.Equal(snapshot, Snapshot.DecodeV2(v2));
            Assert.Equal(v1, snapshot.EncodeV1());
            Assert.Equal(v2, snapshot.EncodeV2());
            count++;
        }
        Assert.NotEqual(0, count);
    }

    [Fact]
    public void The_final_document_shows_and_restores_the_text_of_each_snapshot()
    {
        foreach (var (document, json) in All())
        {
            using var doc = new Doc(new DocOptions { Gc = false });
            foreach (var update in document.Updates)
                doc.ApplyV1(update.Span);
            var snapshot = Snapshot.DecodeV1(json.GetProperty("v1").Bytes());
            var expected = json.GetProperty("textAt").GetString();
            Assert.Equal(expected, string.Concat(doc.GetText("text").ToDelta(snapshot).Select(run => run.Value.ToString())));
            using var restored = snapshot.ToDoc(doc);
            Assert.Equal(expected, restored.GetText("text").ToString());
            Assert.Equal(snapshot, restored.Snapshot());
        }
    }

    private static IEnumerable<(DocumentCase Document, JsonElement Snapshot)> All() =>
        Vectors.Documents.Where(document => document.Json.TryGetProperty("snapshots", out _))
            .SelectMany(document => document.Json.GetProperty("snapshots").EnumerateArray().Select(snapshot => (document, snapshot)));
}
