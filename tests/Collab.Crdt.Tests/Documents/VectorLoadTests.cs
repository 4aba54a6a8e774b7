using System.Text.Json;
using Collab.Crdt.Tests.Oracle;

namespace Collab.Crdt.Tests.Documents;

/// <summary>A document that yjs has encoded is the same document when it is loaded here, and is encoded to the same bytes again.</summary>
public sealed class VectorLoadTests(YjsOracle yjs) : IClassFixture<YjsOracle>
{
    [Fact]
    public void A_state_in_format_v1_loads_to_the_document_of_yjs() => ForEach((document, failures) =>
        CheckDocument(document, Load(document, doc => doc.ApplyV1(document.Expect.GetProperty("stateV1").Bytes())), failures));

    [Fact]
    public void A_state_in_format_v2_loads_to_the_document_of_yjs() => ForEach((document, failures) =>
        CheckDocument(document, Load(document, doc => doc.ApplyV2(document.Expect.GetProperty("stateV2").Bytes())), failures));

    [Fact]
    public void A_state_has_the_same_bytes_when_it_is_loaded_and_encoded_again_in_format_v1() => ForEach((document, failures) =>
    {
        var state = document.Expect.GetProperty("stateV1").Bytes();
        using var doc = Load(document, doc => doc.ApplyV1(state));
        // yjs itself joins a little more when it loads some states.
        var expected = state.AsSpan().SequenceEqual(doc.StateDiffV1()) ? state : Convert.FromBase64String(yjs.ApplyAsync(document.Gc, state).GetAwaiter().GetResult().State);
        failures.Same(document.Id, "state", expected, doc.StateDiffV1());
    });

    [Fact]
    public void A_state_has_the_same_bytes_when_it_is_loaded_and_encoded_again_in_format_v2() => ForEach((document, failures) =>
    {
        var state = document.Expect.GetProperty("stateV2").Bytes();
        using var doc = Load(document, doc => doc.ApplyV2(state));
        var expected = state;
        if (!state.AsSpan().SequenceEqual(doc.StateDiffV2()))
            expected = Convert.FromBase64String(yjs.ApplyAsync(document.Gc, document.Expect.GetProperty("stateV1").Bytes()).GetAwaiter().GetResult().StateV2);
        failures.Same(document.Id, "state", expected, doc.StateDiffV2());
    });

    [Fact]
    public void Roots_may_be_asked_for_after_the_state_was_loaded() => ForEach((document, failures) =>
    {
        using var doc = new Doc(new DocOptions { Gc = document.Gc });
        doc.ApplyV1(document.Expect.GetProperty("stateV1").Bytes());
        failures.Same(document.Id, "dump", document.Expect.GetProperty("dump").GetRawText(), Dump.Of(doc));
    });

    [Fact]
    public void A_replica_that_knows_a_part_is_sent_the_rest() => ForEach((document, failures) =>
    {
        using var whole = Load(document, doc => doc.ApplyV1(document.Expect.GetProperty("stateV1").Bytes()));
        using var part = Dump.NewDoc(1, document.Gc);
        foreach (var update in document.Updates.Take(document.Updates.Count / 2))
            part.ApplyV1(update.Span);
        part.ApplyV1(whole.StateDiffV1(part.StateVectorV1()));
        if (document.Expect.GetProperty("dumpsSame").GetBoolean())
            failures.Same(document.Id, "dump", document.Expect.GetProperty("dump").GetRawText(), Dump.Of(part));
        failures.Same(document.Id, "state vector", document.Expect.GetProperty("svBytes").Bytes(), part.StateVectorV1());
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
        failures.Same(document.Id, "state vector", document.Expect.GetProperty("svBytes").Bytes(), doc.StateVectorV1());
        failures.Same(document.Id, "delete set", Sorted(document.Expect.GetProperty("ds")), DeleteSetOf(doc));
        if (doc.HasPending)
            failures.Add(document.Id, "something waits");
    }

    private static string DeleteSetOf(Doc doc)
    {
        // Nothing is new to the document itself, so this is a zero and the delete set.
        var reader = new DeleteSetReader(new Lib0Reader(doc.StateDiffV1(doc.StateVectorV1())) { Position = 1 }, UpdateLimits.HighestClock);
        var ranges = new List<(ulong Client, string Range)>();
        while (reader.Next(out var range))
            ranges.Add((range.Client, $"[{range.Clock},{range.Length}]"));
        return Text(ranges.GroupBy(range => range.Client.ToString(), range => range.Range));
    }

    private static string Sorted(JsonElement deleteSet) => Text(deleteSet.EnumerateObject()
        .SelectMany(client => client.Value.EnumerateArray().Select(range => (client.Name, Range: range.GetRawText())))
        .GroupBy(range => range.Name, range => range.Range));

    private static string Text(IEnumerable<IGrouping<string, string>> clients) =>
        string.Join(' ', clients.OrderBy(client => client.Key, StringComparer.Ordinal).Select(client => $"{client.Key}: {string.Join(' ', client)}"));

    private static void ForEach(Action<DocumentCase, Failures> check)
    {
        var failures = new Failures();
        foreach (var document in Vectors.Documents)
            failures.Try(document.Id, "loading", () => check(document, failures));
        failures.AssertNone();
    }
}
