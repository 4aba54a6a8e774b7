using Collab.Protocol;
using Collab.Server.Channels.Handlers;
using Collab.Server.Channels.Views;
using Collab.Server.Events;
using Collab.Server.Fanout;
using Collab.Server.Nodes;
using Collab.Server.Operations;
using Collab.Server.Rooms;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Channels;

/// <summary>
/// One open channel on this node: the beat in which its messages are committed, sent on and acknowledged, in this order; its newest
/// messages; and those who wait for the next one.
/// </summary>
internal sealed partial class ChannelRoom
{
    private const int MaxPublishesPerCommit = 4096;
    private const long MaxPendingBytes = 32 * 1024 * 1024;
    private const int MaxBatchBytes = 32 * 1024;
    private const int ReadersOfWholeBeat = 100;

    private readonly IRoomLog _log;
    private readonly EventOutbox? _outbox;
    private readonly bool _tellsMessages;
    private readonly CollabLifetimeManager _connections;
    private readonly TimeProvider _clock;
    private readonly RoomMetrics _metrics;
    private readonly ILogger _logger;
    private readonly Action<ChannelRoom> _restarted;
    private readonly CommitBeat<PendingPublish> _beat;
    private readonly RoomFeed<ChannelFrame> _feed;
    private readonly Lock _gate = new();
    private readonly ChannelTail _tail = new();
    private TaskCompletionSource? _next;
    private long _emptySince = Environment.TickCount64;
    private int _occupants;
    private bool _retired;

    public ChannelRoom(
        string name,
        ChannelNamespace space,
        IRoomLog log,
        EventOutbox? outbox,
        CollabLifetimeManager connections,
        ChannelOptions options,
        ChannelMetrics metrics,
        RoomMetrics roomMetrics,
        NodeBus bus,
        ChannelHandlers handlers,
        Action<ChannelRoom> restarted,
        TimeProvider clock,
        ILogger logger)
    {
        (Name, Namespace, _log, _outbox, _connections, _metrics, _clock, _logger) = (name, space, log, outbox, connections, roomMetrics, clock, logger);
        _restarted = restarted;
        Key = new RoomKey(RoomKind.Channel, name);
        Group = "channel:" + name;
        Peers = new ChannelPeers(this, bus);
        Events = handlers.All.Count == 0 ? null : new ChannelEvents(this, handlers.All, clock, logger);
        _tellsMessages = handlers.WantMessages;
        _feed = new RoomFeed<ChannelFrame>(SendAsync, ReadAsync, TimeSpan.Zero, logger);
        Presence = new ChannelPresence(this, connections, TimeSpan.FromMilliseconds(options.PresenceGraceMilliseconds), clock);
        Retention = new ChannelRetention(Key, space.Retention, log, name, logger);
        Metrics = metrics;
        Whole = new ChannelView(this, new ChannelAddress(name, name, Filter: null), sight: null);
        Views = new ChannelViews(this, connections, options.MaxViews, logger);
        var beat = TimeSpan.FromMilliseconds(options.BeatMilliseconds);
        _beat = new CommitBeat<PendingPublish>(() => BeatOf(beat), MaxPublishesPerCommit, MaxPendingBytes, CommitAsync);
    }

    public string Name { get; }

    public ChannelNamespace Namespace { get; }

    public RoomKey Key { get; }

    /// <summary>The SignalR group of those who subscribe to all messages.</summary>
    public string Group { get; }

    public ChannelPeers Peers { get; }

    public ChannelPresence Presence { get; }

    /// <summary>Tells the application's handlers; null when it has none.</summary>
    public ChannelEvents? Events { get; }

    public ChannelRetention Retention { get; }

    public ChannelMetrics Metrics { get; }

    /// <summary>The view that has all messages.</summary>
    public ChannelView Whole { get; }

    /// <summary>What those follow who do not get all messages.</summary>
    public ChannelViews Views { get; }

    /// <summary>How many subscribe, read and publish on this node now.</summary>
    public int Occupants => Volatile.Read(ref _occupants);

    /// <summary>The last offset that this node knows.</summary>
    public long HeadOffset
    {
        get
        {
            lock (_gate)
                return _tail.Head;
        }
    }

    /// <summary>What its newest messages take in memory, about, in bytes.</summary>
    public long ResidentBytes
    {
        get
        {
            lock (_gate)
                return _tail.Bytes;
        }
    }

    /// <summary>Keeps the channel open for a subscriber, a reader or a publisher, until <see cref="Leave"/>.</summary>
    /// <returns>False when this room was retired meanwhile: ask for the channel's new room.</returns>
    public bool TryEnter()
    {
        lock (_gate)
        {
            if (_retired)
                return false;
            _occupants++;
            return true;
        }
    }

    public void Leave()
    {
        lock (_gate)
        {
            if (--_occupants == 0)
                _emptySince = Environment.TickCount64;
        }
    }

    /// <summary>Gives the room up if nobody has been in it since <paramref name="emptySince"/> and nothing is under way.</summary>
    public bool TryRetire(long emptySince)
    {
        lock (_gate)
        {
            if (_occupants > 0 || !_beat.IsIdle || !Presence.IsEmpty || _emptySince > emptySince)
                return false;
            return _retired = true;
        }
    }

    /// <summary>Forgets the newest messages: they are read from the log when somebody asks.</summary>
    public void DropResident()
    {
        lock (_gate)
            _tail.Drop();
    }

    /// <summary>Commits messages, all or none. Completes when they are durable and the subscribers' outboxes have them.</summary>
    /// <returns>The position of each.</returns>
    /// <exception cref="CollabException">Too much waits to be committed already, or the store cannot take it.</exception>
    public Task<Position[]> PublishAsync(IReadOnlyList<NewLogEntry> entries)
    {
        var publish = new PendingPublish(entries);
        return _beat.TryAdd(publish, publish.Bytes)
            ? publish.Task
            : throw new CollabException(ErrorCodes.RateLimited, "too much waits to be stored in this channel; try again in a second");
    }

    /// <summary>Another node has committed messages.</summary>
    public Task TakeAsync(ChannelFrame frame)
    {
        if (IsOf(frame.Epoch))
            return _feed.OfferAsync(frame);
        _restarted(this);
        return Task.CompletedTask;
    }

    /// <inheritdoc cref="RoomFeed{TFrame}.NoteHead"/>
    public bool NoteHead(Position head)
    {
        if (IsOf(head.Epoch))
            return _feed.NoteHead(head);
        _restarted(this);
        return false;
    }

    /// <summary>Whether the channel's log is still the one that this room knows. If not, what its members know of positions no longer holds.</summary>
    public bool IsOf(string epoch)
    {
        lock (_gate)
            return _tail.Epoch is null || _tail.Epoch == epoch;
    }

    /// <summary>The channel's log has begun anew, on whatever node.</summary>
    public void NoteRestarted() => _restarted(this);

    /// <summary>Whether the room was given up: nobody enters it any more.</summary>
    public bool IsRetired
    {
        get
        {
            lock (_gate)
                return _retired;
        }
    }

    /// <summary>Gives the room up, whoever is in it.</summary>
    public void Retire()
    {
        lock (_gate)
            _retired = true;
        WakeWaiting();
    }

    /// <summary>Completes when there may be a message after <paramref name="after"/>.</summary>
    public Task WaitAsync(long after)
    {
        lock (_gate)
        {
            if (_tail.Head > after)
                return Task.CompletedTask;
            return (_next ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    // What a beat saves is writes to readers; where there are few it would only be waiting.
    private TimeSpan BeatOf(TimeSpan whole) => whole * Math.Min(Volatile.Read(ref _occupants) / (double)ReadersOfWholeBeat, 1);

    private async Task CommitAsync(List<PendingPublish> batch)
    {
        try
        {
            var entries = batch.Count == 1 ? batch[0].Entries : [.. batch.SelectMany(publish => publish.Entries)];
            using var activity = CollabActivity.Commit(Key.Kind, entries.Count, batch.Select(publish => publish.Origin));
            var appended = await (_outbox?.AppendAsync(Key, entries, CancellationToken.None) ?? _log.AppendAsync(Key, entries, CancellationToken.None));
            await SendOnAsync(appended, entries);
            Acknowledge(batch, appended);
        }
        catch (RoomLogUnavailableException exception)
        {
            ChannelLog.AppendFailed(_logger, Name, exception);
            Refuse(batch, exception);
        }
        catch (Exception exception)
        {
            ChannelLog.CommitFailed(_logger, Name, exception);
            Refuse(batch, exception);
        }
    }

    /// <summary>Tells the subscribers of messages that were committed, by this room or by somebody else in this process.</summary>
    public async Task SendOnAsync(LogAppend appended, IReadOnlyList<NewLogEntry> entries)
    {
        var messages = NewMessages(appended, entries);
        _metrics.Committed(Key.Kind, messages.Count);
        if (messages.Count == 0)
            return;
        await SendOnAsync(appended.Epoch, appended.After, messages);
        if (_tellsMessages)
            Events!.Published(appended.After, appended.After + messages.Count);
    }

    /// <summary>The entries that were appended, without those whose key the log had already.</summary>
    private static List<StoredMessage> NewMessages(LogAppend appended, IReadOnlyList<NewLogEntry> entries)
    {
        var messages = new List<StoredMessage>(entries.Count);
        for (var i = 0; i < entries.Count; i++)
        {
            var offset = appended.Offsets[i];
            if (offset == appended.After + messages.Count + 1)
            {
                messages.Add(new StoredMessage(offset, ChannelEntry.Decode(
                    appended.Epoch, offset, entries[i].Data, entries[i].Author, appended.WrittenAt)));
            }
        }

        return messages;
    }

    /// <summary>Sends messages on in few writes, each small enough to be done at one go.</summary>
    private async Task SendOnAsync(string epoch, long after, List<StoredMessage> messages)
    {
        for (int first = 0, next; first < messages.Count; first = next)
        {
            var bytes = messages[first].Weight;
            for (next = first + 1; next < messages.Count && bytes + messages[next].Weight <= MaxBatchBytes; next++)
                bytes += messages[next].Weight;
            var frame = new ChannelFrame(epoch, after + first, next - first == messages.Count ? messages : messages[first..next]);
            Peers.Tell(frame);
            await _feed.OfferAsync(frame);
        }
    }

    private async Task SendAsync(IReadOnlyList<ChannelFrame> frames)
    {
        foreach (var frame in frames)
        {
            lock (_gate)
                _tail.Append(frame.Epoch, frame.After, frame.Messages);
            var batch = new ChannelBatch(Key, frame.Epoch, frame.After, frame.Through, isGap: false, frame.Messages);
            var invocation = batch.ToInvocation();
            await _connections.SendGroupAsync(Group, invocation.Target, invocation.Arguments!);
            Views.Ring();
            WakeWaiting();
            Retention.Appended(frame.Messages);
        }
    }

    private async Task<ChannelFrame?> ReadAsync(long after)
    {
        var page = await _log.ReadAsync(Key, after, MaxPublishesPerCommit, MaxBatchBytes, CancellationToken.None);
        // What was trimmed meanwhile is told of by the page that a member who lacks it is served.
        return page.Entries.Count == 0
            ? null
            : new ChannelFrame(page.Epoch, page.Entries[0].Offset - 1, [.. Decode(page.Epoch, page.Entries)]);
    }

    private void WakeWaiting()
    {
        TaskCompletionSource? next;
        lock (_gate)
            (next, _next) = (_next, null);
        next?.TrySetResult();
    }

    private void Acknowledge(List<PendingPublish> batch, LogAppend appended)
    {
        var entry = 0;
        foreach (var publish in batch)
        {
            var positions = new Position[publish.Entries.Count];
            for (var i = 0; i < positions.Length; i++)
                positions[i] = new Position(appended.Epoch, appended.Offsets[entry++]);
            _metrics.Acknowledged(Key.Kind, publish.Since);
            publish.TrySetResult(positions);
        }
    }

    private void Refuse(List<PendingPublish> batch, Exception cause)
    {
        _metrics.Refused(Key.Kind, batch.Sum(publish => publish.Entries.Count));
        foreach (var publish in batch)
            publish.TrySetException(new CollabException(ErrorCodes.Unavailable, "the message could not be stored; try again later", cause));
    }
}
