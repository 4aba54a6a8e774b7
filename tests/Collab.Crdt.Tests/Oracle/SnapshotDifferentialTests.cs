using System.Text.Json.Nodes;

namespace Collab.Crdt.Tests.Oracle;

/// <summary>Snapshots of random sessions against yjs: their bytes, texts and changes at them, and the documents restored from them.</summary>
public sealed class SnapshotDifferentialTests(YjsOracle yjs) : IClassFixture<YjsOracle>
{
    private const int Sessions = 60;

    [Fact]
    public Task Snapshots_have_the_bytes_of_yjs() => ForEachSession((expected, snapshot, _, _) =>
    {
        Assert.Equal((string)expected["v1"]!, Convert.ToBase64String(snapshot.EncodeV1()));
        Assert.Equal((string)expected["v2"]!, Convert.ToBase64String(snapshot.EncodeV2()));
        Assert.Equal(snapshot, Snapshot.DecodeV2(YjsOracle.Bytes(expected["v2"])));
        return Task.CompletedTask;
    });

    [Fact]
    public Task A_text_at_a_snapshot_and_its_changes_are_those_of_yjs() => ForEachSession((expected, snapshot, previous, doc) =>
    {
        var rich = doc.GetText("rich");
        Assert.Equal((string)expected["delta"]!, Show(rich.ToDelta(snapshot)));
        Assert.Equal((string)expected["changes"]!, Show(rich.ToDelta(snapshot, previous)));
        Assert.Equal((string)expected["changesOfUsers"]!, Show(rich.ToDelta(snapshot, previous, change => Any.FromObject(
            ("type", change.Kind == TextChangeKind.Added ? "added" : "removed"), ("user", (double)change.ClientId)))));
        return Task.CompletedTask;
    });

    [Fact]
    public Task A_restored_document_is_that_of_yjs() => ForEachSession(async (expected, snapshot, _, doc) =>
    {
        using var restored = snapshot.ToDoc(doc);
        Assert.Equal(await yjs.ApplyAsync(YjsOracle.Bytes(expected["restored"])), await yjs.ApplyAsync(restored.StateDiffV1()));
    });

    // yjs looks at whole blocks here, which may have joined since; a restored document is what counts.
    [Fact]
    public Task An_array_and_a_map_at_a_snapshot_are_those_of_the_restored_document() => ForEachSession((_, snapshot, _, doc) =>
    {
        using var restored = snapshot.ToDoc(doc);
        Assert.Equal(restored.GetArray("arr").Select(Plain), doc.GetArray("arr").ToArray(snapshot).Select(Plain));
        Assert.Equal(
            restored.GetMap("map").OrderBy(entry => entry.Key).Select(entry => (entry.Key, Plain(entry.Value))),
            doc.GetMap("map").EntriesAt(snapshot).OrderBy(entry => entry.Key).Select(entry => (entry.Key, Plain(entry.Value))));
        return Task.CompletedTask;
    });

    [Fact]
    public async Task Yjs_reads_and_restores_a_snapshot_that_was_made_here()
    {
        using var doc = new Doc(new DocOptions { Gc = false });
        var rich = doc.GetText("rich");
        rich.Insert(0, "abcdef");
        rich.Delete(2, 2);
        var snapshot = doc.Snapshot();
        rich.Insert(0, "later ");
        foreach (var format in new[] { 1, 2 })
        {
            var answer = await yjs.AskAsync(new JsonObject
            {
                ["op"] = "readSnapshot",
                ["state"] = Convert.ToBase64String(doc.StateDiffV1()),
                ["snapshot"] = Convert.ToBase64String(format == 1 ? snapshot.EncodeV1() : snapshot.EncodeV2()),
                ["format"] = format,
            });
            Assert.Equal("""[{"insert":"abef"}]""", (string)answer["delta"]!);
            Assert.Equal((string)answer["state"]!, Convert.ToBase64String(snapshot.ToDoc(doc).StateDiffV1()));
        }
    }

    [Fact]
    public async Task It_contains_the_updates_that_it_contains_in_yjs()
    {
        for (var seed = 0; seed < Sessions; seed++)
        {
            var session = await yjs.SessionAsync(seed);
            using var doc = new Doc();
            foreach (var update in session.Updates.Take(session.Updates.Count / 2))
                doc.ApplyV1(update.Span);
            var snapshot = doc.Snapshot();
            var answer = await yjs.AskAsync(new JsonObject
            {
                ["op"] = "contains",
                ["snapshot"] = Convert.ToBase64String(snapshot.EncodeV1()),
                ["updates"] = YjsOracle.Encode(session.Updates),
            });
            var expected = answer["contained"]!.AsArray().Select(contained => (bool)contained!).ToArray();
            Assert.Equal(expected, session.Updates.Select(update => snapshot.ContainsUpdateV1(update.Span)));
            Assert.Equal(expected, session.UpdatesV2.Select(update => snapshot.ContainsUpdateV2(update.Span)));
        }
    }

    private async Task ForEachSession(Func<JsonNode, Snapshot, Snapshot, Doc, Task> check)
    {
        for (var seed = 0; seed < Sessions; seed++)
        {
            // Cuts through surrogate pairs stay in a document of yjs that was only read, and so in what it restores later.
            var session = await yjs.SessionAsync(seed, astral: false);
            int[] cuts = [1, session.Updates.Count / 3, session.Updates.Count / 2, session.Updates.Count];
            var answer = await yjs.AskAsync(new JsonObject
            {
                ["op"] = "snapshots",
                ["updates"] = YjsOracle.Encode(session.Updates),
                ["cuts"] = new JsonArray([.. cuts.Select(cut => (JsonNode)cut)]),
            });
            using var doc = new Doc(new DocOptions { Gc = false });
            doc.GetText("text");
            doc.GetText("rich");
            var snapshots = new List<Snapshot>();
            for (var i = 0; i < session.Updates.Count; i++)
            {
                doc.ApplyV1(session.Updates[i].Span);
                if (cuts.Contains(i + 1))
                    snapshots.Add(doc.Snapshot());
            }
            var expected = answer["snapshots"]!.AsArray();
            Assert.Equal(expected.Count, snapshots.Count);
            for (var i = 0; i < snapshots.Count; i++)
            {
                try
                {
                    await check(expected[i]!, snapshots[i], i > 0 ? snapshots[i - 1] : Snapshot.Empty, doc);
                }
                catch (Exception failure)
                {
                    Assert.Fail($"seed {seed}, snapshot {i}: {failure}");
                }
            }
        }
    }

    // Types and subdocuments are objects of their document; what can be compared is of which kind they are.
    private static (AnyKind, Any) Plain(Any value) => value.Kind is AnyKind.Type or AnyKind.Doc ? (value.Kind, default) : (value.Kind, value);

    private static string Show(IEnumerable<Delta> delta) => $"[{string.Join(',', delta)}]";
}
