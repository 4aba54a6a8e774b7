using Collab.Crdt;
using Collab.Server.Documents.Rules;
using Collab.Server.Handlers;
using Collab.Server.Rooms;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Collab.Server.Documents.Handlers;

/// <summary>What an application has added to documents: its handlers, its loader and its rules.</summary>
internal sealed class DocumentHooks(
    IEnumerable<IDocumentHandler> handlers,
    IEnumerable<IDocumentLoader> loaders,
    IEnumerable<IDocumentRule> rules,
    IRoomLog log,
    DocumentReader reader,
    IOptions<DocumentOptions> options,
    TimeProvider clock,
    ILogger<DocumentHooks> logger)
{
    /// <summary>Long enough for two nodes that have found a document to be new at the same time, also when one of them was paused.</summary>
    private static readonly AppendKey Once = new("first state", TimeSpan.FromDays(1));

    private readonly IDocumentHandler[] _handlers = [.. handlers];
    private readonly bool _tellsChanges = HandlerInterest.IsIn(handlers, nameof(IDocumentHandler.ChangedAsync));
    private readonly IDocumentRule[] _rules = [.. rules];
    private readonly IDocumentLoader? _loader = loaders.LastOrDefault();

    /// <summary>Tells the handlers of a document; null when there are none.</summary>
    public DocumentEvents? EventsOf(DocumentRoom room) =>
        _handlers.Length == 0 ? null : new DocumentEvents(room, reader, _handlers, _tellsChanges, options.Value, clock, logger);

    /// <summary>Asks the rules of a document; null when there are none.</summary>
    public DocumentJudge? JudgeOf(string documentId) =>
        _rules.Any(rule => rule.AppliesTo(documentId)) ? new DocumentJudge(documentId, _rules, options.Value) : null;

    /// <summary>Begins the log of a document that has none with what the loader supplies.</summary>
    /// <returns>Whether the log has a beginning now.</returns>
    /// <exception cref="RoomLogUnavailableException">The loader failed, or the log does.</exception>
    public async Task<bool> SupplyAsync(RoomKey document)
    {
        if (_loader is null)
            return false;
        var update = await LoadAsync(_loader, document.Name);
        if (update is null || Updates.IsEmptyV1(update))
            return false;
        await log.AppendAsync(document, [new NewLogEntry(update, Key: Once)], CancellationToken.None);
        return true;
    }

    private async Task<byte[]?> LoadAsync(IDocumentLoader loader, string documentId)
    {
        using var patience = new CancellationTokenSource(HandlerPatience.Time, clock);
        try
        {
            var update = await loader.LoadAsync(documentId, patience.Token).AsTask().WaitAsync(patience.Token);
            if (update is null || Updates.ValidateV1(update, options.Value.UpdateLimits) is not { } fault)
                return update;
            throw new InvalidOperationException($"The loader's update of {update.Length} bytes is refused: {fault.Message} ({fault.Kind} at byte {fault.Offset}).");
        }
        catch (Exception exception)
        {
            DocumentLog.LoaderFailed(logger, documentId, exception);
            throw new RoomLogUnavailableException("The document's loader failed.", exception);
        }
    }
}
