using System.Text.Json;

namespace Collab.Crdt.Tests.Documents;

/// <summary>Editing here emits the updates that yjs emits, byte by byte, and tells observers the same.</summary>
public sealed class VectorReplayTests
{
    [Fact]
    public void Each_step_emits_the_bytes_of_yjs_in_format_v1() => Replay((document, index, step, replicas, failures) =>
    {
        var emitted = replicas.Play(step).Emitted;
        var expected = step.GetProperty("u").EnumerateArray().Select(update => update.GetInt32()).ToArray();
        return failures.Same(document.Id, $"number of updates of step {index} {step}", $"{expected.Length}", $"{emitted.Count}")
            && expected.Zip(emitted).All(pair => failures.Same(
                document.Id, $"update of step {index} {step}", document.Updates[pair.First].Span, pair.Second.V1));
    });

    [Fact]
    public void Each_step_emits_the_bytes_of_yjs_in_format_v2() => Replay((document, index, step, replicas, failures) =>
    {
        var emitted = replicas.Play(step).Emitted;
        var expected = step.GetProperty("u").EnumerateArray().Select(update => document.Json.GetProperty("updates")[update.GetInt32()]);
        return expected.Zip(emitted).All(pair => pair.First.OptionalBytes("v2") is { } bytes
            ? failures.Same(document.Id, $"update of step {index} {step}", bytes, pair.Second.V2)
            : failures.SameSha(document.Id, $"update of step {index} {step}", pair.First.GetProperty("v2sha").GetString()!, pair.Second.V2));
    });

    [Fact]
    public void The_replicas_end_as_those_of_yjs() => ForEach((document, failures) =>
    {
        using var replicas = Replicas.Of(document);
        foreach (var step in Steps(document))
            replicas.Play(step);
        for (var client = 0; client < replicas.Docs.Count; client++)
        {
            failures.SameSha(
                document.Id, $"dump of replica {client}", document.Json.GetProperty("clientDumpSha")[client].GetString()!, Dump.Of(replicas.Docs[client]));
        }
    });

    [Fact]
    public void Observers_are_told_what_they_are_told_in_yjs() => ForEach((document, failures) =>
    {
        if (!document.Json.TryGetProperty("events", out var events))
            return;
        using var doc = Dump.NewDoc(1, document.Gc);
        var log = new EventLog(doc);
        var order = document.Json.GetProperty("orders")[0];
        for (var i = 0; i < events.GetArrayLength(); i++)
        {
            doc.ApplyV1(document.Updates[order[i].GetInt32()].Span);
            if (!failures.Same(document.Id, $"events of update {i}", events[i].GetRawText(), log.Take()))
                return;
        }
    });

    private static JsonElement.ArrayEnumerator Steps(DocumentCase document) => document.Json.GetProperty("steps").EnumerateArray();

    // Stops at the first step of a case that differs: what comes after differs because of it.
    private static void Replay(Func<DocumentCase, int, JsonElement, Replicas, Failures, bool> play) => ForEach((document, failures) =>
    {
        using var replicas = Replicas.Of(document);
        var index = 0;
        foreach (var step in Steps(document))
        {
            if (!play(document, index++, step, replicas, failures))
                return;
        }
    });

    private static void ForEach(Action<DocumentCase, Failures> check)
    {
        var failures = new Failures();
        foreach (var document in Vectors.Documents)
            failures.Try(document.Id, "replay", () => check(document, failures));
        failures.AssertNone();
    }
}
