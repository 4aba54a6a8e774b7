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
    private readonly SortedSet<string>[] _subDocs =
        [.. Enumerable.Range(0, 3).Select(_ => new SortedSet<string>(StringComparer.Ordinal))];


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
            {
                SharedType[] scope = [.. undo.Select(root => Dump.Root(doc, root))];
                _managers.Add(new UndoManager(scope, new UndoOptions { CaptureTimeout = TimeSpan.Zero }));
            }
        }
    }

    public IReadOnlyList<Doc> Docs { get; }

    /// <summary>The replicas of a case of the vectors.</summary>
    public static Replicas Of(DocumentCase document) =>
        new(document.Json.Items("clients").Select(client => client.GetUInt64()), [document.Gc], UndoOf(document));

    /// <summary>What is tracked for undo in a case of the vectors, which do not say it: all that is edited.</summary>
    public static IReadOnlyList<string> UndoOf(DocumentCase document)
    {
        JsonElement[] steps = [.. document.Json.Items("steps")];
        var undoes = steps.Any(step => step.Text("k") is "undo" or "redo")
            || document.Json.OptionalText("profile")?.StartsWith("undo", StringComparison.Ordinal) == true;
        var edited = steps.Where(step => step.Text("k") == "tx")
            .SelectMany(step => step.Items("ops")).Select(operation => operation.GetProperty("t")[0].GetString()!);
        return undoes ? [.. edited.Distinct()] : [];
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
        switch (step.Text("k"))
        {
            case "tx":
                var doc = Docs[step.Number("c")];
                doc.Transact(_ =>
                {
                    foreach (var operation in step.Items("ops"))
                        Operations.Run(doc, operation);
                }, step.OptionalText("origin"));
                break;
            case "undo":
                _managers[step.Number("c")].Undo();
                break;
            case "redo":
                _managers[step.Number("c")].Redo();
                break;
            case "sync":
                var target = Docs[step.Number("to")];
                made = Docs[step.Number("from")].StateDiffV1(target.StateVectorV1());
                target.ApplyV1(made, Sync);
                break;
            case "relpos":
                var type = Operations.Find(Docs[step.Number("c")], step.GetProperty("t"));
                made = StickyIndex.Create(type, step.Number("i"), (Association)step.Number("assoc")).Encode();
                break;
            case "snapshot":
                made = Docs[step.Number("c")].Snapshot().EncodeV1();
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
