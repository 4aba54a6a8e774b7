using System.Text.Json;
using Collab.Crdt.Tests.Oracle;

namespace Collab.Crdt.Tests.Documents;

/// <summary>A document that yjs has encoded is the same when it is loaded here, and is encoded to the same bytes again.</summary>
public sealed class VectorLoadTests(YjsOracle yjs) : IClassFixture<YjsOracle>
{
    [Fact]
    public void A_state_in_format_v1_loads_to_the_document_of_yjs() => ForEach((document, failures) =>
        CheckDocument(document, Load(document, doc => doc.ApplyV1(document.Expect.Bytes("stateV1"))), failures));

    [Fact]
    public void A_state_in_format_v2_loads_to_the_document_of_yjs() => ForEach((document, failures) =>
        CheckDocument(document, Load(document, doc => doc.ApplyV2(document.Expect.Bytes("stateV2"))), failures));

    [Fact]
    public async Task A_state_is_encoded_to_the_same_bytes_after_it_was_loaded()
    {
        var failures = new Failures();
        foreach (var document in Vectors.Documents)
        {
            var (v1, v2) = (document.Expect.Bytes("stateV1"), document.Expect.Bytes("stateV2"));
            using var fromV1 = Load(document, doc => doc.ApplyV1(v1));
            using var fromV2 = Load(document, doc => doc.ApplyV2(v2));
            if (!v1.AsSpan().SequenceEqual(fromV1.StateDiffV1()) || !v2.AsSpan().SequenceEqual(fromV2.StateDiffV2()))
            {
                // yjs itself joins a little more when it loads some states.
                var loaded = await yjs.ApplyAsync(document.Gc, v1);
                (v1, v2) = (Convert.FromBase64String(loaded.State), Convert.FromBase64String(loaded.StateV2));
            }
            failures.Same(document.Id, "format v1", v1, fromV1.StateDiffV1());
            failures.Same(document.Id, "format v2", v2, fromV2.StateDiffV2());
        }
        failures.AssertNone();
    }

    [Fact]
    public void Roots_may_be_asked_for_after_the_state_was_loaded() => ForEach((document, failures) =>
    {
        using var doc = new Doc(new DocOptions { Gc = document.Gc });
        doc.ApplyV1(document.Expect.Bytes("stateV1"));
        failures.Same(document.Id, "dump", document.Expect.GetProperty("dump").GetRawText(), Dump.Of(doc));
    });

    [Fact]
    public void A_replica_that_knows_a_part_is_sent_the_rest() => ForEach((document, failures) =>
    {
        using var whole = Load(document, doc => doc.ApplyV1(document.Expect.Bytes("stateV1")));
        using var part = Dump.NewDoc(1, document.Gc);
        foreach (var update in document.Updates.Take(document.Updates.Count / 2))
            part.ApplyV1(update.Span);
        part.ApplyV1(whole.StateDiffV1(part.StateVectorV1()));
        if (document.Expect.GetProperty("dumpsSame").GetBoolean())
            failures.Same(document.Id, "dump", document.Expect.GetProperty("dump").GetRawText(), Dump.Of(part));
        failures.Same(document.Id, "state vector", document.Expect.Bytes("svBytes"), part.StateVectorV1());
    });

    private static Doc Load(DocumentCase document, Action<Doc> load)
    {
        var doc = Dump.NewDoc(1, document.Gc);
        load(doc);
        return doc;
    }

    private static void CheckDocument(DocumentCase document, Doc doc, Failures failures)
    {
        using var owned = doc;
        failures.Same(document.Id, "dump", document.Expect.GetProperty("dump").GetRawText(), Dump.Of(doc));
        failures.Same(document.Id, "state vector", document.Expect.Bytes("svBytes"), doc.StateVectorV1());
        failures.Same(document.Id, "delete set", Sorted(document.Expect.GetProperty("ds")), DeleteSetOf(doc));
        if (doc.HasPending)
            failures.Add(document.Id, "something waits");
    }

    private static string DeleteSetOf(Doc doc)
    {
        // Nothing is new to the document itself, so this is a zero and the delete set.
        var bytes = new Lib0Reader(doc.StateDiffV1(doc.StateVectorV1())) { Position = 1 };
        var reader = new DeleteSetReader(bytes, UpdateLimits.HighestClock);
        var ranges = new List<(ulong Client, string Range)>();
        while (reader.Next(out var range))
            ranges.Add((range.Client, $"[{range.Clock},{range.Length}]"));
        return Text(ranges.GroupBy(range => range.Client.ToString(), range => range.Range));
    }

    private static string Sorted(JsonElement deleteSet) => Text(deleteSet.EnumerateObject()
        .SelectMany(client => client.Value.EnumerateArray().Select(range => (client.Name, Range: range.GetRawText())))
        .GroupBy(range => range.Name, range => range.Range));

    private static string Text(IEnumerable<IGrouping<string, string>> clients) => string.Join(
        ' ', clients.OrderBy(client => client.Key, StringComparer.Ordinal).Select(client => $"{client.Key}: {string.Join(' ', client)}"));

    private static void ForEach(Action<DocumentCase, Failures> check)
    {
        var failures = new Failures();
        foreach (var document in Vectors.Documents)
            failures.Try(document.Id, "loading", () => check(document, failures));
        failures.AssertNone();
    }
}
