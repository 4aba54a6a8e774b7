using System.Collections.Concurrent;
using Collab.Crdt;
using Collab.Protocol;
using Collab.Server.Documents.Data;
using Collab.Server.Documents.Handlers;
using Collab.Server.Documents.Rules;
using Collab.Server.Documents.Versions;
using Collab.Server.Events;
using Collab.Server.Fanout;
using Collab.Server.Nodes;
using Collab.Server.Rooms;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Documents;

/// <summary>
/// One open document on this node: its members, their awareness, and the beat in which its updates are committed, sent on and
/// acknowledged, in this order.
/// </summary>
internal sealed partial class DocumentRoom : IRoomSource
{
    private const int MaxUpdatesPerCommit = 4096;
    private const long MaxPendingBytes = 32 * 1024 * 1024;
    private const int MaxMessageBytes = 32 * 1024;
    private const int CatchUpEntries = 1024;
    private const long CatchUpBytes = MaxMessageBytes;

    private readonly IRoomLog _log;
    private readonly EventOutbox _outbox;
    private readonly CollabLifetimeManager _connections;
    private readonly DocumentOptions _options;
    private readonly RoomMetrics _metrics;
    private readonly Action<DocumentRoom> _close;
    private readonly DocumentJudge? _judge;
    private readonly ILogger _logger;
    private readonly CommitBeat<PendingPush> _beat;
    private readonly RoomFeed<DocumentFrame> _feed;
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, DocumentMember> _members = new(StringComparer.Ordinal);
    private Position? _head;
    // Completed when something is committed; null while nobody waits for it.
    private TaskCompletionSource? _advanced;
    private long _emptySince = Environment.TickCount64;
    private int _visits;
    private bool _retired;

    public DocumentRoom(
        string documentId,
        IRoomLog log,
        EventOutbox outbox,
        CollabLifetimeManager connections,
        DocumentCompactor compactor,
        DocumentHooks hooks,
        DocumentOptions options,
        RoomMetrics metrics,
        NodeBus bus,
        Action<DocumentRoom> close,
        ILogger logger)
    {
        _close = close;
        (Id, _log, _outbox, _connections, _options, _metrics, _logger) = (documentId, log, outbox, connections, options, metrics, logger);
        Key = new RoomKey(RoomKind.Document, documentId);
        Group = "document:" + documentId;
        Writers = new DocumentWriters(documentId, log, Awareness, logger);
        Resident = new ResidentDocument(Key, log, options.ResidentBytes, hooks.SupplyAsync);
        Events = hooks.EventsOf(this);
        _judge = hooks.JudgeOf(documentId);
        Compaction = new DocumentCompaction(this, compactor, options, logger);
        Peers = new DocumentPeers(this, bus);
        var beat = TimeSpan.FromMilliseconds(options.BeatMilliseconds);
        _feed = new RoomFeed<DocumentFrame>(SendAsync, ReadAsync, beat, logger);
        _beat = new CommitBeat<PendingPush>(() => beat, MaxUpdatesPerCommit, MaxPendingBytes, CommitAsync);
    }

    public string Id { get; }

    public RoomKey Key { get; }

    /// <summary>The SignalR group of the members.</summary>
    public string Group { get; }

    public ResidentDocument Resident { get; }

    public ResidentContent Content { get; } = new();

    public DocumentAwareness Awareness { get; } = new();

    public DocumentWriters Writers { get; }

    public DocumentCompaction Compaction { get; }

    public DocumentPeers Peers { get; }

    public VersionKeeper Versions { get; } = new();

    /// <summary>Tells the application's handlers; null when it has none.</summary>
    public DocumentEvents? Events { get; }

    /// <summary>How many members it has on this node.</summary>
    public int Members => _members.Count;

    /// <summary>The last position that this node knows to be committed; null before anything was read or written.</summary>
    public Position? Head
    {
        get
        {
            lock (_gate)
                return _head;
        }
    }

    /// <summary>Its offset, else 0.</summary>
    public long HeadOffset => Head?.Offset ?? 0;

    public DocumentMember? Member(string connectionId) => _members.GetValueOrDefault(connectionId);

    /// <returns>False when this room was retired meanwhile: ask for the document's new room.</returns>
    public bool TryAdd(DocumentMember member)
    {
        lock (_gate)
        {
            if (_retired)
                return false;
            _members[member.ConnectionId] = member;
            return true;
        }
    }

    public void Remove(string connectionId)
    {
        lock (_gate)
        {
            _members.TryRemove(connectionId, out _);
            NoteIfEmpty();
        }
    }

    /// <summary>Keeps the room open for somebody who is no member, until <see cref="EndVisit"/>.</summary>
    /// <inheritdoc cref="TryAdd"/>
    public bool TryVisit()
    {
        lock (_gate)
        {
            if (_retired)
                return false;
            _visits++;
            return true;
        }
    }

    public void EndVisit()
    {
        lock (_gate)
        {
            _visits--;
            NoteIfEmpty();
        }
    }

    /// <summary>Gives the room up if nobody has been in it since <paramref name="emptySince"/> and nothing is under way.</summary>
    public bool TryRetire(long emptySince)
    {
        lock (_gate)
        {
            if (!_members.IsEmpty || _visits > 0 || !_beat.IsIdle || _emptySince > emptySince)
                return false;
            return _retired = true;
        }
    }

    /// <summary>The document as it stands, loaded if need be.</summary>
    public async ValueTask<DocumentState> GetStateAsync(CancellationToken cancellationToken)
    {
        DocumentState state;
        try
        {
            state = await Resident.GetStateAsync(HeadOffset, cancellationToken);
        }
        catch (RoomLogUnavailableException exception)
        {
            DocumentLog.LoadFailed(_logger, Id, exception);
            throw new CollabException(ErrorCodes.Unavailable, "the document cannot be loaded now; try again later", exception);
        }

        lock (_gate)
        {
            if (_head is not { } head || head.Epoch != state.Epoch || head.Offset < state.Offset)
                _head = new Position(state.Epoch, state.Offset);
        }

        _feed.Begin(new Position(state.Epoch, state.Offset));
        Events?.Loaded();
        Compaction.Loaded(Resident.LoadedUpdates, Resident.LoadedUpdateBytes, state.Update.Length);
        return state;
    }

    /// <summary>Commits a valid update. Completes when it is durable and the others' outboxes have it.</summary>
    /// <param name="update">The update.</param>
    /// <param name="writer">Who wrote it.</param>
    /// <param name="onlyAfter">The position at which the document must be until then, as far as this node knows; null in any case.</param>
    /// <exception cref="CollabException">Too much waits to be committed already, or the document is at another position.</exception>
    public Task<Position> PushAsync(byte[] update, DocumentMember writer, Position? onlyAfter = null) => _judge is { } judge
        ? judge.PushAsync(writer.UserId, update, () => GetStateAsync(CancellationToken.None), () => HandOverAsync(update, writer, onlyAfter), CancellationToken.None)
        : HandOverAsync(update, writer, onlyAfter);

    private Task<Position> HandOverAsync(byte[] update, DocumentMember writer, Position? onlyAfter)
    {
        if (Volatile.Read(ref _isDeleted))
            throw new CollabException(ErrorCodes.NotJoined, "the document was deleted");
        var push = new PendingPush(update, writer, onlyAfter);
        return _beat.TryAdd(push, update.Length)
            ? push.Task
            : throw new CollabException(ErrorCodes.RateLimited, "too much waits to be stored in this document; try again in a second");
    }

    /// <summary>Waits for something that is committed after a state was read. The room must be kept open.</summary>
    public async Task WaitBeyondAsync(long offset, CancellationToken cancellationToken)
    {
        while (true)
        {
            var news = Volatile.Read(ref _advanced);
            if (news is null || news.Task.IsCompleted)
                Interlocked.CompareExchange(ref _advanced, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), news);
            // Asked after the signal is there, so nothing is missed in between.
            if (HeadOffset > offset || IsDeleted)
                return;
            await Volatile.Read(ref _advanced)!.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Another node has committed updates.</summary>
    public Task TakeAsync(DocumentFrame frame) => _feed.OfferAsync(frame, gather: true);

    /// <inheritdoc cref="RoomFeed{TFrame}.NoteHead"/>
    public bool NoteHead(Position head) => _feed.NoteHead(head);

    async ValueTask<CatchUpMessage?> IRoomSource.ReadAfterAsync(long after, CancellationToken cancellationToken) =>
        await ReadAsync(after, cancellationToken) is { } frame ? new CatchUpMessage(MessageOf(frame), frame.Through) : null;

    InvocationMessage? IRoomSource.ReadLatest()
    {
        var present = Awareness.Present();
        return present.Count == 0
            ? null
            : new InvocationMessage(HubContract.AwarenessUpdated, [Id, AwarenessUpdate.Encode(present)]);
    }

    private void NoteIfEmpty()
    {
        if (_members.IsEmpty && _visits == 0)
            _emptySince = Environment.TickCount64;
    }

    private InvocationMessage MessageOf(DocumentFrame frame) => new(
        HubContract.DocumentUpdated,
        [Id, frame.Update, new FramePosition(Key, frame.Epoch, frame.After, frame.Through, frame.SoleWriter)]);

    private Task<DocumentFrame?> ReadAsync(long after) => ReadAsync(after, CancellationToken.None);

    private async Task<DocumentFrame?> ReadAsync(long after, CancellationToken cancellationToken)
    {
        var page = await _log.ReadAsync(Key, after, CatchUpEntries, CatchUpBytes, cancellationToken);
        var through = page.ReachedFrom(after);
        if (through <= after)
            return null;

        var updates = new List<ReadOnlyMemory<byte>>(page.Entries.Count + 1);
        if (page.Snapshot is { } snapshot)
            updates.Add(snapshot.Data);
        foreach (var entry in page.Entries)
            updates.Add(entry.Data);
        return new DocumentFrame(page.Epoch, after, through, Updates.MergeV1(updates));
    }

    private async Task SendAsync(IReadOnlyList<DocumentFrame> frames)
    {
        foreach (var frame in frames)
            Resident.Append(frame);
        var last = frames[^1];
        lock (_gate)
        {
            if (_head is not { } head || head.Epoch != last.Epoch || head.Offset < last.Through)
                _head = new Position(last.Epoch, last.Through);
        }

        Volatile.Read(ref _advanced)?.TrySetResult();
        foreach (var frame in DocumentFrame.Merge(frames, MaxMessageBytes))
        {
            var message = MessageOf(frame);
            await _connections.SendGroupAsync(Group, message.Target, message.Arguments!);
        }
    }
}
