using Collab.Crdt;
using Collab.Protocol;
using Collab.Server.Rooms;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Collab.Server.Documents;

/// <summary>
/// Compacts logs: all updates so far become one snapshot, as short as a document would write it. The snapshot and the removal of what
/// it replaces are one commit of the log; what is pushed meanwhile stands behind it.
/// </summary>
internal sealed class DocumentCompactor(
    IDocumentEngine engine, IRoomLog log, IOptions<DocumentOptions> options, RoomMetrics metrics, IHostApplicationLifetime lifetime, ILoggerFactory loggerFactory)
{
    private static readonly SemaphoreSlim Running = new(DocumentOptions.BuildsAtOnce);

    private readonly ILogger _logger = loggerFactory.CreateLogger("Collab.Documents");

    /// <summary>Ends what is waiting when the server stops.</summary>
    public CancellationToken Stopping => lifetime.ApplicationStopping;

    /// <summary>Compacts the log of a room, when it is its turn.</summary>
    /// <returns>The bytes of the snapshot; null when the log has become another one meanwhile.</returns>
    /// <exception cref="OperationCanceledException">The server stops; the log is as it was.</exception>
    public async Task<int?> CompactAsync(DocumentRoom room)
    {
        await Running.WaitAsync(Stopping);
        try
        {
            var state = await room.Resident.GetStateAsync(room.HeadOffset, Stopping);
            var snapshot = Shorten(room.Id, state.Update);
            Stopping.ThrowIfCancellationRequested();
            if (!await log.CompactAsync(room.Key, new Position(state.Epoch, state.Offset), snapshot, Stopping))
                return null;
            room.Resident.Replace(new DocumentState(state.Epoch, state.Offset, snapshot));
            metrics.Compacted();
            DocumentLog.Compacted(_logger, room.Id, state.Offset, state.Update.Length, snapshot.Length);
            return snapshot.Length;
        }
        finally
        {
            Running.Release();
        }
    }

    /// <summary>
    /// The document as the engine writes it, when it is not too large to build and nothing is missing from the result; else the bytes
    /// with neighbours joined, which nothing can be lost by.
    /// </summary>
    internal byte[] Shorten(string documentId, byte[] update)
    {
        if (update.Length <= options.Value.MaxBuiltBytes)
        {
            try
            {
                var snapshot = engine.Compact(update);
                if (Updates.CoversV1(snapshot, update))
                    return snapshot;
                DocumentLog.EngineLost(_logger, documentId);
            }
            catch (Exception exception)
            {
                DocumentLog.EngineFailed(_logger, documentId, exception);
            }
        }

        return Updates.CompactV1([update]);
    }
}
