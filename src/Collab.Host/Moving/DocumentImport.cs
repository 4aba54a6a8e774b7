using Collab.Crdt;
using Collab.Protocol;
using Collab.Server.Documents;
using Collab.Server.Rooms;

namespace Collab.Host.Moving;

/// <summary>Adds documents to the store. Of a document that is there already only what it lacks is added.</summary>
/// <param name="log">The store.</param>
/// <param name="options">The server's limits.</param>
/// <param name="prefix">Goes before every name.</param>
/// <param name="isV2">Whether the updates are of Yjs' version 2.</param>
/// <param name="dryRun">Whether nothing is written.</param>
internal sealed class DocumentImport(IRoomLog log, DocumentOptions options, string prefix, bool isV2, bool dryRun)
{
    /// <summary>So many wait for the disk together.</summary>
    private const int AtOnce = 16;

    private readonly UpdateLimits _limits = UpdateLimits.Default with { MaxBytes = (int)Math.Min(options.MaxDocumentBytes, Array.MaxLength) };

    /// <summary>Takes in all documents of a source.</summary>
    public async Task<MovingSummary> RunAsync(IDocumentSource source, CancellationToken cancellationToken)
    {
        var summary = new MovingSummary(dryRun ? "would be" : "");
        using (var progress = new Progress(summary, source.Count))
        {
            await Parallel.ForEachAsync(
                source.ReadAsync(cancellationToken),
                new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
                async (document, cancelled) => await TakeAsync(document, summary, cancelled));
        }

        return summary;
    }

    private async ValueTask TakeAsync(SourceDocument document, MovingSummary summary, CancellationToken cancellationToken)
    {
        var id = prefix + document.Name;
        if ((document.Fault ?? FaultOf(id, document.Updates)) is { } fault)
        {
            summary.Refuse(document.Name, fault);
            return;
        }

        var updates = isV2 ? document.Updates.Select(update => Updates.ConvertV2ToV1(update)) : document.Updates;
        var update = Updates.MergeV1([.. updates.Select(part => new ReadOnlyMemory<byte>(part))]);
        var stored = await log.ReadDocumentAsync(id, cancellationToken);
        if (Updates.IsEmptyV1(update))
        {
            summary.Count("empty", 0);
        }
        else if (stored is not null && Updates.CoversV1(stored.Update.Span, update))
        {
            summary.Count("there already", update.Length);
        }
        else if ((stored?.Update.Length ?? 0) + (long)update.Length > options.MaxDocumentBytes)
        {
            summary.Refuse(document.Name, $"it would be larger than {options.MaxDocumentBytes} bytes (Collab:Documents:MaxDocumentBytes)");
        }
        else
        {
            if (!dryRun)
                await log.AppendAsync(new RoomKey(RoomKind.Document, id), [new NewLogEntry(update)], cancellationToken);
            summary.Count(stored is null ? "imported" : "merged into documents that are there", update.Length);
        }
    }

    private string? FaultOf(string id, IReadOnlyList<byte[]> updates)
    {
        if (!RoomName.IsValid(id))
            return "a document id is 1 to 200 characters of A-Z a-z 0-9 . _ ~ : @ - / with no empty segment";
        foreach (var update in updates)
        {
            if ((isV2 ? Updates.ValidateV2(update, _limits) : Updates.ValidateV1(update, _limits)) is { } fault)
                return $"its update is damaged, or of the other version: {fault.Message} ({fault.Kind} at byte {fault.Offset} of {update.Length})";
        }

        return null;
    }
}
