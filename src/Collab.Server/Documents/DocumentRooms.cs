using System.Collections.Concurrent;
using Collab.Protocol;
using Collab.Server.Documents.Handlers;
using Collab.Server.Events;
using Collab.Server.Fanout;
using Collab.Server.Nodes;
using Collab.Server.Rooms;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Collab.Server.Documents;

/// <summary>The documents that are open on this node. Sweeps away silent awareness, rooms that nobody is in, and excess memory.</summary>
internal sealed class DocumentRooms(
    IRoomLog log,
    EventOutbox outbox,
    CollabLifetimeManager connections,
    NodeBus bus,
    DocumentCompactor compactor,
    DocumentHooks hooks,
    IOptions<DocumentOptions> options,
    RoomMetrics metrics,
    TimeProvider clock,
    ILoggerFactory loggerFactory)
    : IHostedService, IDisposable
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, DocumentRoom> _rooms = new(StringComparer.Ordinal);
    private readonly ILogger _logger = loggerFactory.CreateLogger("Collab.Documents");
    private ITimer? _sweep;

    public ILogger Logger => _logger;

    /// <summary>How many documents are open.</summary>
    public int Count => _rooms.Count;

    /// <summary>The rooms of the open documents.</summary>
    public IEnumerable<DocumentRoom> Open() => _rooms.Select(room => room.Value);

    /// <summary>The open document's room, or null.</summary>
    public DocumentRoom? Find(string documentId) => _rooms.GetValueOrDefault(documentId);

    /// <summary>Adds a member to a document's room, which is opened if need be.</summary>
    public DocumentRoom Enter(string documentId, DocumentMember member) => Open(documentId, room => room.TryAdd(member));

    /// <summary>
    /// A document's room, which is opened if need be and stays open until <see cref="DocumentRoom.EndVisit"/>, for somebody who is no member.
    /// </summary>
    public DocumentRoom Visit(string documentId) => Open(documentId, static room => room.TryVisit());

    /// <summary>Deletes a document, on all nodes: those who are in it are told and out of it.</summary>
    /// <returns>False when there is no such document.</returns>
    public async Task<bool> DeleteAsync(string documentId, CancellationToken cancellationToken)
    {
        var room = Visit(documentId);
        try
        {
            // What is on its way is committed first, and what comes from now on is refused: else a part of it would begin the document anew.
            await room.BeginDeletionAsync(cancellationToken);
            var existed = await log.DeleteAsync(room.Key, cancellationToken);
            await log.DeleteAsync(new RoomKey(RoomKind.Writers, documentId), cancellationToken);
            await log.DeleteAsync(new RoomKey(RoomKind.Versions, documentId), cancellationToken);
            room.Peers.TellDeleted();
            await room.CloseDeletedAsync();
            Close(room);
            DocumentLog.Deleted(_logger, documentId);
            return existed;
        }
        catch (RoomLogUnavailableException exception)
        {
            room.AbandonDeletion();
            throw new CollabException(ErrorCodes.Unavailable, "the document cannot be deleted now; try again later", exception);
        }
        finally
        {
            room.EndVisit();
        }
    }

    Task IHostedService.StartAsync(CancellationToken cancellationToken)
    {
        metrics.Observe(RoomKind.Document, () => _rooms.Count, () => _rooms.Sum(room => room.Value.Resident.Bytes + room.Value.Content.Bytes));
        _sweep = clock.CreateTimer(_ => Sweep(), null, SweepInterval, SweepInterval);
        return Task.CompletedTask;
    }

    async Task IHostedService.StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        try
        {
            await Task.WhenAll(_rooms.Values.Select(room => room.Events?.CloseAsync() ?? Task.CompletedTask)).WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // A handler takes longer than there is time.
        }
    }

    public void Dispose()
    {
        _sweep?.Dispose();
        _sweep = null;
    }

    private DocumentRoom Open(string documentId, Func<DocumentRoom, bool> tryEnter)
    {
        while (true)
        {
            var room = _rooms.GetOrAdd(documentId, id => new DocumentRoom(id, log, outbox, connections, compactor, hooks, options.Value, metrics, bus, Close, _logger));
            if (tryEnter(room))
            {
                room.Peers.Open();
                return room;
            }

            Close(room);
        }
    }

    private void Close(DocumentRoom room)
    {
        if (!_rooms.TryRemove(KeyValuePair.Create(room.Id, room)))
            return;
        room.Peers.Close();
        _ = room.Events?.CloseAsync();
    }

    private void Sweep()
    {
        var now = Environment.TickCount64;
        var resident = 0L;
        foreach (var (id, room) in _rooms)
        {
            if (room.TryRetire(now - options.Value.LingerMilliseconds))
            {
                Close(room);
                continue;
            }

            if (room.Content.UsedAt < now - options.Value.LingerMilliseconds)
                room.Content.Drop();
            resident += room.Resident.Bytes + room.Content.Bytes;
            var expired = room.Awareness.Expire(now - options.Value.AwarenessTimeoutMilliseconds);
            if (expired.Count > 0)
                _ = room.SendAwarenessAsync(expired, userId: null);
        }

        if (resident > options.Value.ResidentBytes)
            DropLeastUsed(resident);
    }

    private void DropLeastUsed(long resident)
    {
        // Content first: it is larger, and fewer ask for it.
        foreach (var room in _rooms.Values.Where(room => room.Content.Bytes > 0).OrderBy(room => room.Content.UsedAt))
        {
            if (resident <= options.Value.ResidentBytes)
                return;
            resident -= room.Content.Bytes;
            room.Content.Drop();
        }

        foreach (var room in _rooms.Values.OrderBy(room => room.Resident.UsedAt))
        {
            if (resident <= options.Value.ResidentBytes)
                return;
            resident -= room.Resident.Bytes;
            room.Resident.Drop();
        }
    }
}
