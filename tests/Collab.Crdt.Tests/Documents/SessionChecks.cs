using System.Text;
using System.Text.Json;

namespace Collab.Crdt.Tests.Documents;

/// <summary>What of a session that yjs has played must be the same here.</summary>
internal static class SessionChecks
{
    // The client id of documents to which updates are delivered; no replica has it.
    private const ulong Receiver = 424242;

    public static string IdOf(JsonElement session) => $"{session.GetProperty("profile").GetString()}:{session.GetProperty("seed").GetInt32()}";

    /// <summary>Everything.</summary>
    public static void All(JsonElement session, Failures failures)
    {
        Steps(session, failures);
        Replicas(session, failures);
        Events(session, failures);
        Deliveries(session, failures);
        LocalEvents(session, failures);
        SubDocs(session, failures);
        UndoStacks(session, failures);
        Positions(session, failures);
        Snapshots(session, failures);
        if (session.TryGetProperty("yrs", out _))
            InYrs(session, failures);
    }

    /// <summary>The updates of each step, and what is sent in a sync.</summary>
    public static void Steps(JsonElement session, Failures failures) => ForEachStep(session, (what, step, result) =>
    {
        var expected = step.GetProperty("u").EnumerateArray().Select(update => session.GetProperty("updates")[update.GetInt32()]).ToArray();
        return failures.Same(IdOf(session), $"number of updates of {what}", $"{expected.Length}", $"{result.Emitted.Count}")
            && expected.Zip(result.Emitted).All(pair =>
                failures.Same(IdOf(session), $"v1 of {what}", pair.First.GetProperty("v1").Bytes(), pair.Second.V1)
                && Same(session, $"v2 of {what}", pair.First.GetProperty("v2"), pair.Second.V2, failures))
            && SameMade(session, what, step, result.Made, failures);
    });

    /// <summary>What observers of the replicas are told in each step, where the replicas are observed.</summary>
    public static void LocalEvents(JsonElement session, Failures failures) => ForEachStep(session, (what, step, result) =>
        !step.TryGetProperty("events", out var expected) || Same(session, $"events of {what}", expected, result.Events, failures));

    /// <summary>The subdocuments that come, go, and are to be loaded in each step.</summary>
    public static void SubDocs(JsonElement session, Failures failures) => ForEachStep(session, (what, step, result) => failures.Same(
        IdOf(session), $"subdocuments of {what}", step.TryGetProperty("subDocs", out var expected) ? expected.GetRawText() : "[[],[],[]]", result.SubDocs));

    /// <summary>How much there is to undo and to redo after each step.</summary>
    public static void UndoStacks(JsonElement session, Failures failures) => ForEachStep(session, (what, step, result) =>
        !step.TryGetProperty("stacks", out var expected) || failures.Same(IdOf(session), $"stacks after {what}", expected.GetRawText(), result.Stacks));

    /// <summary>Content, state vector and state of each replica after all steps.</summary>
    public static void Replicas(JsonElement session, Failures failures)
    {
        using var replicas = Played(session);
        for (var i = 0; i < replicas.Docs.Count; i++)
        {
            var expected = session.GetProperty("replicas")[i];
            var same = SameVisible(session, $"replica {i}", expected, replicas.Docs[i], failures)
                && Same(session, $"v2 of replica {i}", expected.GetProperty("v2"), replicas.Docs[i].StateDiffV2(), failures);
            if (!same)
                return;
        }
    }

    /// <summary>What observers of a document are told when the updates come in the order in which they were emitted.</summary>
    public static void Events(JsonElement session, Failures failures)
    {
        using var doc = Dump.NewDoc(Receiver, FirstGc(session));
        var log = new EventLog(doc);
        var index = 0;
        foreach (var update in Updates(session))
        {
            doc.ApplyV1(update);
            if (!Same(session, $"events of update {index}", session.GetProperty("events")[index++], log.Take(), failures))
                return;
        }
    }

    /// <summary>Documents to which the updates were delivered in other orders: in part, and when all had come.</summary>
    public static void Deliveries(JsonElement session, Failures failures)
    {
        var v1 = Updates(session);
        var v2 = session.GetProperty("updates").EnumerateArray().Any() ? UpdatesV2(session) : [];
        foreach (var delivery in session.GetProperty("deliveries").EnumerateArray())
        {
            var order = delivery.GetProperty("order").EnumerateArray().Select(index => index.GetInt32()).ToArray();
            var cut = delivery.GetProperty("cut").GetInt32();
            using var doc = Dump.NewDoc(Receiver, FirstGc(session));
            var what = $"delivery {string.Join(',', order)} in format {delivery.GetProperty("format")}";
            var yjsStalled = false;
            foreach (var (name, part) in new[] { ("part", order[..cut]), ("whole", order[cut..]) })
            {
                foreach (var index in part)
                {
                    if (delivery.GetProperty("format").GetInt32() == 1)
                        doc.ApplyV1(v1[index]);
                    else
                        doc.ApplyV2(v2[index]);
                }
                var expected = delivery.GetProperty(name);
                yjsStalled |= expected.GetProperty("stalls").GetBoolean();
                if (name == "whole" && doc.HasPending)
                    failures.Add(IdOf(session), $"{what}: something waits though all has come");
                // Once yjs has left something waiting, it goes on in another way.
                if (yjsStalled)
                    continue;
                var where = $"{what}, {name} {cut}";
                var same = SameVisible(session, where, expected, doc, failures)
                    && failures.Same(IdOf(session), $"structs wait after {where}", expected.GetProperty("structs").ToString(), doc.HasPendingStructs.ToString())
                    && failures.Same(IdOf(session), $"deletes wait after {where}", expected.GetProperty("deletes").ToString(), doc.HasPendingDeletes.ToString());
                if (!same)
                    return;
            }
        }
    }

    /// <summary>Where the positions made on the way are in each replica in the end.</summary>
    public static void Positions(JsonElement session, Failures failures)
    {
        using var replicas = Played(session);
        foreach (var step in session.GetProperty("steps").EnumerateArray().Where(step => step.GetProperty("k").GetString() == "relpos"))
        {
            var position = StickyIndex.Decode(step.GetProperty("made").Bytes());
            var actual = replicas.Docs.Select(doc => position.Resolve(doc)?.Index.ToString() ?? "null");
            failures.Same(IdOf(session), $"indexes of {step}", step.GetProperty("final").GetRawText(), $"[{string.Join(',', actual)}]");
        }
    }

    /// <summary>The documents that snapshots made on the way bring back in the end.</summary>
    public static void Snapshots(JsonElement session, Failures failures)
    {
        using var replicas = Played(session);
        foreach (var step in session.GetProperty("steps").EnumerateArray().Where(step => step.GetProperty("k").GetString() == "snapshot"))
        {
            var snapshot = Snapshot.DecodeV1(step.GetProperty("made").Bytes());
            using var restored = snapshot.ToDoc(replicas.Docs[step.GetProperty("c").GetInt32()]);
            Same(session, $"dump at {step}", step.GetProperty("dump"), Dump.Of(restored), failures);
        }
    }

    /// <summary>What yrs reads when the updates come in the order in which they were emitted.</summary>
    public static void InYrs(JsonElement session, Failures failures)
    {
        using var doc = Dump.NewDoc(Receiver, gc: true);
        foreach (var update in Updates(session))
            doc.ApplyV1(update);
        var yrs = session.GetProperty("yrs");
        foreach (var root in new[] { "text", "rich" })
            failures.Same(IdOf(session), root, yrs.GetProperty(root).GetString()!, doc.GetText(root).ToString());
        failures.Same(IdOf(session), "arr", yrs.GetProperty("arr").GetString()!, Tagged.Write(doc.GetArray("arr").ToJson()).ToString());
        failures.Same(IdOf(session), "map", yrs.GetProperty("map").GetString()!, Tagged.Write(doc.GetMap("map").ToJson()).ToString());
    }

    /// <summary>The replicas of a session after all its steps.</summary>
    public static Replicas Played(JsonElement session)
    {
        var replicas = ReplicasOf(session);
        foreach (var step in session.GetProperty("steps").EnumerateArray())
            replicas.Play(step);
        return replicas;
    }

    public static byte[][] Updates(JsonElement session) =>
        [.. session.GetProperty("updates").EnumerateArray().Select(update => update.GetProperty("v1").Bytes())];

    public static bool FirstGc(JsonElement session) => Gc(session)[0];

    // Bytes are given in full when a session is asked for in detail, else by their hash.
    public static bool Same(JsonElement session, string what, JsonElement expected, ReadOnlySpan<byte> actual, Failures failures) =>
        session.GetProperty("detail").GetBoolean()
            ? failures.Same(IdOf(session), what, expected.Bytes(), actual)
            : failures.SameSha(IdOf(session), what, expected.GetString()!, actual);

    public static bool Same(JsonElement session, string what, JsonElement expected, string actual, Failures failures) =>
        session.GetProperty("detail").GetBoolean()
            ? failures.Same(IdOf(session), what, expected.GetString()!, actual)
            : failures.SameSha(IdOf(session), what, expected.GetString()!, Encoding.UTF8.GetBytes(actual));

    // Until the first that is not the same: what comes after differs because of it.
    private static void ForEachStep(JsonElement session, Func<string, JsonElement, StepResult, bool> isSame)
    {
        using var replicas = ReplicasOf(session);
        var index = 0;
        foreach (var step in session.GetProperty("steps").EnumerateArray())
        {
            if (!isSame($"step {index++} {step}", step, replicas.Play(step)))
                return;
        }
    }

    // What is sent in a sync; positions and snapshots are never given by their hash.
    private static bool SameMade(JsonElement session, string what, JsonElement step, byte[]? made, Failures failures)
    {
        if (!step.TryGetProperty("made", out var expected))
            return made is null;
        return step.GetProperty("k").GetString() == "sync"
            ? Same(session, $"difference of {what}", expected, made!, failures)
            : failures.Same(IdOf(session), what, expected.Bytes(), made!);
    }

    private static bool SameVisible(JsonElement session, string what, JsonElement expected, Doc doc, Failures failures) =>
        Same(session, $"dump of {what}", expected.GetProperty("dump"), Dump.Of(doc), failures)
        && failures.Same(IdOf(session), $"state vector of {what}", expected.GetProperty("sv").Bytes(), doc.StateVectorV1())
        && Same(session, $"state of {what}", expected.GetProperty("v1"), doc.StateDiffV1(), failures);

    private static Replicas ReplicasOf(JsonElement session) => new(
        session.GetProperty("clients").EnumerateArray().Select(client => client.GetUInt64()),
        Gc(session),
        session.GetProperty("undo") is { ValueKind: JsonValueKind.Array } roots ? [.. roots.EnumerateArray().Select(root => root.GetString()!)] : [],
        session.GetProperty("observed").GetBoolean());

    private static bool[] Gc(JsonElement session) => session.GetProperty("gc") is { ValueKind: JsonValueKind.Array } each
        ? [.. each.EnumerateArray().Select(gc => gc.GetBoolean())]
        : [session.GetProperty("gc").GetBoolean()];

    // The session has only hashes of these, which are compared where the replicas emit them.
    private static byte[][] UpdatesV2(JsonElement session)
    {
        using var replicas = ReplicasOf(session);
        return [.. session.GetProperty("steps").EnumerateArray().SelectMany(step => replicas.Play(step).Emitted).Select(emitted => emitted.V2)];
    }
}
