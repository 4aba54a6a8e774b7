using Collab.Protocol;
using Collab.Server.Fanout;
using Collab.Server.Nodes;
using Collab.Server.Operations;
using Collab.Server.Rooms;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Channels;

/// <summary>
/// One open channel on this node: the beat in which its messages are committed, sent on and acknowledged, in this order; its newest
/// messages; and those who wait for the next one.
/// </summary>
internal sealed class ChannelRoom : IRoomSource
{
    private const int MaxPublishesPerCommit = 4096;
    private const long MaxPendingBytes = 32 * 1024 * 1024;
    private const int MaxBatchBytes = 32 * 1024;
    private const int ReadersOfWholeBeat = 100;

    private readonly IRoomLog _log;
    private readonly CollabLifetimeManager _connections;
    private readonly TimeProvider _clock;
    private readonly RoomMetrics _metrics;
    private readonly ILogger _logger;
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
        CollabLifetimeManager connections,
        ChannelOptions options,
        ChannelMetrics metrics,
        RoomMetrics roomMetrics,
        NodeBus bus,
        TimeProvider clock,
        ILogger logger)
    {
        (Name, Namespace, _log, _connections, _metrics, _clock, _logger) = (name, space, log, connections, roomMetrics, clock, logger);
        Key = new RoomKey(RoomKind.Channel, name);
        Group = "channel:" + name;
        Peers = new ChannelPeers(this, bus);
        _feed = new RoomFeed<ChannelFrame>(SendAsync, ReadAsync, TimeSpan.Zero, logger);
        Presence = new ChannelPresence(this, connections, TimeSpan.FromMilliseconds(options.PresenceGraceMilliseconds), clock);
        Retention = new ChannelRetention(Key, space.Retention, log, name, logger);
        SlowReader = new SlowReader(this, space.SlowReaders, metrics);
        var beat = TimeSpan.FromMilliseconds(options.BeatMilliseconds);
        _beat = new CommitBeat<PendingPublish>(() => BeatOf(beat), MaxPublishesPerCommit, MaxPendingBytes, CommitAsync);
    }

    public string Name { get; }

    public ChannelNamespace Namespace { get; }

    public RoomKey Key { get; }

    /// <summary>The SignalR group of the subscribers.</summary>
    public string Group { get; }

    public ChannelPeers Peers { get; }

    public ChannelPresence Presence { get; }

    public ChannelRetention Retention { get; }

    /// <summary>Serves those who have fallen behind, or read part by part.</summary>
    public SlowReader SlowReader { get; }

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

    bool IRoomSource.IsServedWhenFree => Namespace.SlowReaders is not SlowReaders.Recover;

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

    /// <summary>The position of the last message, and the offset after which the history begins.</summary>
    public async ValueTask<(Position Head, long Start)> GetHeadAsync(CancellationToken cancellationToken)
    {
        string? epoch;
        long head;
        lock (_gate)
            (epoch, head) = (_tail.Epoch, _tail.Head);
        if (epoch is null)
        {
            var page = await _log.ReadBeforeAsync(Key, long.MaxValue, 256, MaxBatchBytes, cancellationToken);
            Retention.Trimmed(page.Trimmed);
            lock (_gate)
            {
                if (_tail.Epoch is null)
                    _tail.Append(page.Epoch, page.Head - page.Entries.Count, Decode(page.Epoch, page.Entries));
                (epoch, head) = (_tail.Epoch!, _tail.Head);
            }

            _feed.Begin(new Position(epoch, head));
        }

        return (new Position(epoch, head), Retention.StartOf(head));
    }

    /// <summary>
    /// Whether the log goes as far as a position. It may go further than this node knows yet: what is committed can be read at once.
    /// </summary>
    public async ValueTask<bool> ReachesAsync(Position position, CancellationToken cancellationToken)
    {
        var (head, _) = await GetHeadAsync(cancellationToken);
        if (!position.IsSameLogAs(head) || position.Offset <= head.Offset)
            return position.IsSameLogAs(head);
        var last = await _log.ReadBeforeAsync(Key, long.MaxValue, 1, MaxBatchBytes, cancellationToken);
        return position.IsSameLogAs(new Position(last.Epoch, last.Head)) && position.Offset <= last.Head;
    }

    /// <summary>The messages after an offset, as far as the limits allow; at least one if there is one.</summary>
    public async ValueTask<ChannelPage> ReadAfterAsync(long after, int limit, long maxBytes, CancellationToken cancellationToken)
    {
        var (head, start) = await GetHeadAsync(cancellationToken);
        var from = Math.Max(after, start);
        while (true)
        {
            IReadOnlyList<StoredMessage>? messages = null;
            lock (_gate)
            {
                if (_tail.Epoch == head.Epoch && from >= _tail.Start)
                {
                    messages = _tail.After(from, limit, maxBytes);
                    head = head with { Offset = _tail.Head };
                }
            }

            if (messages is null)
            {
                var page = await _log.ReadAsync(Key, from, limit, maxBytes, cancellationToken);
                Retention.Trimmed(page.Trimmed);
                from = Math.Max(from, page.Trimmed);
                messages = Decode(page.Epoch, page.Entries);
                head = new Position(page.Epoch, page.Head);
            }

            // What is too old is as good as trimmed.
            var old = TooOld(messages);
            from += old;
            if (old < messages.Count || old == 0)
                return new ChannelPage(head.Epoch, head.Offset, from, old == 0 ? messages : [.. messages.Skip(old)]);
        }
    }

    /// <summary>The last messages before an offset, in the log's order.</summary>
    public async ValueTask<ChannelPage> ReadBeforeAsync(long before, int limit, long maxBytes, CancellationToken cancellationToken)
    {
        var (head, start) = await GetHeadAsync(cancellationToken);
        var through = Math.Min(before - 1, head.Offset);
        var first = Math.Max(through - limit, start);
        lock (_gate)
        {
            if (_tail.Epoch == head.Epoch && first >= _tail.Start)
            {
                var all = _tail.After(first, (int)Math.Max(through - first, 0), long.MaxValue);
                return Page(new Position(_tail.Epoch, _tail.Head), through, all);
            }
        }

        var page = await _log.ReadBeforeAsync(Key, through + 1, limit, maxBytes, cancellationToken);
        return Page(
            new Position(page.Epoch, page.Head), through, Decode(page.Epoch, page.Entries).Where(message => message.Offset > start).ToList());

        ChannelPage Page(Position headNow, long last, List<StoredMessage> messages)
        {
            messages.RemoveRange(0, TooOld(messages));
            return new ChannelPage(headNow.Epoch, headNow.Offset, messages.Count > 0 ? messages[0].Offset - 1 : Math.Max(last, 0), messages);
        }
    }

    /// <summary>Another node has committed messages.</summary>
    public Task TakeAsync(ChannelFrame frame) => _feed.OfferAsync(frame);

    /// <inheritdoc cref="RoomFeed{TFrame}.NoteHead"/>
    public bool NoteHead(Position head) => _feed.NoteHead(head);

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

    async ValueTask<CatchUpMessage?> IRoomSource.ReadAfterAsync(long after, CancellationToken cancellationToken) =>
        await SlowReader.ReadAfterAsync(after, MaxBatchBytes, cancellationToken) is { } batch
            ? new CatchUpMessage(batch.ToInvocation(), batch.Through)
            : null;

    InvocationMessage? IRoomSource.ReadLatest() => null;

    // What a beat saves is writes to readers; where there are few it would only be waiting.
    private TimeSpan BeatOf(TimeSpan whole) => whole * Math.Min(Volatile.Read(ref _occupants) / (double)ReadersOfWholeBeat, 1);

    private int TooOld(IReadOnlyList<StoredMessage> messages)
    {
        var oldest = _clock.GetUtcNow().ToUnixTimeMilliseconds() - Namespace.HistorySeconds * 1000;
        var count = 0;
        while (count < messages.Count && messages[count].Message.PublishedAt < oldest)
            count++;
        return count;
    }

    private static StoredMessage[] Decode(string epoch, IReadOnlyList<LogEntry> entries)
    {
        var messages = new StoredMessage[entries.Count];
        for (var i = 0; i < messages.Length; i++)
            messages[i] = new StoredMessage(entries[i].Offset, ChannelEntry.Decode(epoch, entries[i]));
        return messages;
    }

    private async Task CommitAsync(List<PendingPublish> batch)
    {
        try
        {
            var entries = batch.Count == 1 ? batch[0].Entries : [.. batch.SelectMany(publish => publish.Entries)];
            using var activity = CollabActivity.Commit(Key.Kind, entries.Count, batch.Select(publish => publish.Origin));
            var appended = await _log.AppendAsync(Key, entries, CancellationToken.None);
            var messages = NewMessages(appended, entries);
            _metrics.Committed(Key.Kind, messages.Count);
            if (messages.Count > 0)
                await SendOnAsync(appended.Epoch, appended.After, messages);
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
