using System.Text.Json;

namespace Collab.Crdt.Tests.Documents;

/// <summary>The changes of one transaction, as a replica emitted them in both formats.</summary>
internal sealed record Emitted(byte[] V1)
{
    public byte[] V2 { get; set; } = [];
}

/// <summary>What a step has done.</summary>
/// <param name="Emitted">The updates that the replicas emitted, but for what a sync carried.</param>
/// <param name="Made">What the step itself has made: a difference, a position, a snapshot.</param>
/// <param name="Events">What observers were told, for each replica, as JSON text; when they are observed.</param>
/// <param name="SubDocs">The subdocuments that came, went and were to be loaded, as JSON text.</param>
/// <param name="Stacks">How much there is to undo and redo on each replica, as JSON text.</param>
internal sealed record StepResult(IReadOnlyList<Emitted> Emitted, byte[]? Made, string Events, string SubDocs, string Stacks);

/// <summary>Replicas of one document, which play the steps of the vectors or of a session of the oracle.</summary>
internal sealed class Replicas : IDisposable
{
    private const string Sync = "sync";

    private readonly List<UndoManager> _managers = [];
    private readonly List<EventLog> _logs = [];
    private List<Emitted> _emitted = [];
    private readonly SortedSet<string>[] _subDocs = [.. Enumerable.Range(0, 3).Select(_ => new SortedSet<string>(StringComparer.Ordinal))];

    /// <summary>Makes the replicas.</summary>
    /// <param name="clients">Their client ids.</param>
    /// <param name="gc">For each whether the content of what is deleted is dropped; or one for all.</param>
    /// <param name="undo">The roots that undo managers track, each transaction as a step; empty for no undo managers.</param>
    /// <param name="observed">Whether all roots are observed.</param>
    public Replicas(IEnumerable<ulong> clients, IReadOnlyList<bool> gc, IReadOnlyList<string> undo, bool observed = false)
    {
        Docs = [.. clients.Select((client, index) => Dump.NewDoc(client, gc.Count > 1 ? gc[index] : gc[0]))];
        foreach (var doc in Docs)
        {
            // A sync carries what others have emitted.
            doc.ObserveUpdatesV1(update =>
            {
                if (!Equals(update.Origin, Sync))
                    _emitted.Add(new Emitted(update.Update));
            });
            doc.ObserveUpdatesV2(update =>
            {
                if (!Equals(update.Origin, Sync))
                    _emitted[^1].V2 = update.Update;
            });
            doc.ObserveSubDocs(change =>
            {
                _subDocs[0].UnionWith(change.Added.Select(subDoc => subDoc.Guid));
                _subDocs[1].UnionWith(change.Removed.Select(subDoc => subDoc.Guid));
                _subDocs[2].UnionWith(change.Loaded.Select(subDoc => subDoc.Guid));
            });
            if (observed)
                _logs.Add(new EventLog(doc));
            if (undo.Count > 0)
                _managers.Add(new UndoManager([.. undo.Select(root => Dump.Root(doc, root))], new UndoOptions { CaptureTimeout = TimeSpan.Zero }));
        }
    }

    public IReadOnlyList<Doc> Docs { get; }

    /// <summary>The replicas of a case of the vectors, which does not say what was tracked for undo: all that it edits.</summary>
    public static Replicas Of(DocumentCase document)
    {
        var steps = document.Json.GetProperty("steps").EnumerateArray().ToArray();
        var undoes = steps.Any(step => step.OptionalText("k") is "undo" or "redo") || (document.Json.OptionalText("profile") ?? "").StartsWith("undo", StringComparison.Ordinal);
        var edited = steps.Where(step => step.TryGetProperty("ops", out _))
            .SelectMany(step => step.GetProperty("ops").EnumerateArray()).Select(operation => operation.GetProperty("t")[0].GetString()!);
        return new Replicas(
            document.Json.GetProperty("clients").EnumerateArray().Select(client => client.GetUInt64()),
            [document.Gc],
            undoes ? [.. edited.Distinct()] : []);
    }

    /// <summary>Plays a step.</summary>
    public StepResult Play(JsonElement step)
    {
        _emitted = [];
        Array.ForEach(_subDocs, guids => guids.Clear());
        var made = Run(step);
        return new StepResult(
            _emitted,
            made,
            $"[{string.Join(',', _logs.Select(log => log.Take()))}]",
            $"[{string.Join(',', _subDocs.Select(guids => Any.FromArray([.. guids.Select(guid => (Any)guid)])))}]",
            $"[{string.Join(',', _managers.Select(manager => $"[{manager.UndoStack.Count},{manager.RedoStack.Count}]"))}]");
    }

    private byte[]? Run(JsonElement step)
    {
        byte[]? made = null;
        switch (step.GetProperty("k").GetString())
        {
            case "tx":
                var doc = Docs[step.GetProperty("c").GetInt32()];
                doc.Transact(_ =>
                {
                    foreach (var operation in step.GetProperty("ops").EnumerateArray())
                        Operations.Run(doc, operation);
                }, step.OptionalText("origin"));
                break;
            case "undo":
                _managers[step.GetProperty("c").GetInt32()].Undo();
                break;
            case "redo":
                _managers[step.GetProperty("c").GetInt32()].Redo();
                break;
            case "sync":
                var target = Docs[step.GetProperty("to").GetInt32()];
                made = Docs[step.GetProperty("from").GetInt32()].StateDiffV1(target.StateVectorV1());
                target.ApplyV1(made, Sync);
                break;
            case "relpos":
                var type = Operations.Find(Docs[step.GetProperty("c").GetInt32()], step.GetProperty("t"));
                made = StickyIndex.Create(type, step.GetProperty("i").GetInt32(), (Association)step.GetProperty("assoc").GetInt32()).Encode();
                break;
            case "snapshot":
                made = Docs[step.GetProperty("c").GetInt32()].Snapshot().EncodeV1();
                break;
            case var kind:
                throw new InvalidOperationException($"No step is called {kind}.");
        }
        return made;
    }

    public void Dispose()
    {
        foreach (var manager in _managers)
            manager.Dispose();
        foreach (var doc in Docs)
            doc.Dispose();
    }
}
