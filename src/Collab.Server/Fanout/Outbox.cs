using Collab.Protocol;
using Collab.Server.Fanout.WebSockets;
using Collab.Server.Rooms;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Fanout;

/// <summary>
/// What waits to be written to one connection, and the connection's cursors into the logs of its rooms. Whoever sends never waits:
/// a message is written at once when the connection is free, else it queues here, bounded by bytes and age. On overflow the queue is
/// emptied and the rooms concerned are served from their logs, page by page, until the member has caught up and is live again.
/// </summary>
internal sealed partial class Outbox(IRecipient recipient, FanoutOptions options, FanoutMetrics metrics, ILogger logger)
{
    private readonly Lock _gate = new();
    private readonly string _connectionId = recipient.ConnectionId;
    private readonly FrameStream? _stream = recipient.Stream;
    private readonly FrameStream? _socket = recipient.IsWrittenToStream ? recipient.Stream : null;
    private readonly IHubProtocol _protocol = recipient.Protocol;
    private readonly OutboxQueue _queue = new(options);
    private readonly Memberships _memberships = new();
    private long _writeStarted;
    private long _deliveries;
    private bool _writing;
    // False only when the queue is empty and no room is behind: what every write has to know without looking.
    private bool _mayWait;
    private bool _stopped;
    private bool _closed;

    /// <summary>What it holds at this moment.</summary>
    public OutboxState State
    {
        get
        {
            lock (_gate)
                return new OutboxState(_deliveries, _queue.Bytes, _memberships.Behind());
        }
    }

    /// <summary>The connection has ended: nothing is sent any more and no room can be joined.</summary>
    /// <returns>The rooms that it was in.</returns>
    public IReadOnlyCollection<RoomKey> Close()
    {
        Membership[] memberships;
        lock (_gate)
        {
            _closed = true;
            memberships = _memberships.Clear();
            Stop();
        }

        foreach (var membership in memberships)
            membership.End();
        return [.. memberships.Select(membership => membership.Room)];
    }

    /// <summary>Sends the message, or queues it, or leaves it to the log. Never waits.</summary>
    public void Send(SerializedHubMessage message)
    {
        Membership? membership = null;
        var after = 0L;
        lock (_gate)
        {
            if (_stopped)
                return;

            if (FrameOf(message) is { } frame)
            {
                membership = _memberships.Find(frame.Room);
                if (membership is null || !membership.Accepts(frame))
                    return;
                if (membership.Mode is MembershipMode.Behind)
                {
                    _mayWait = true;
                }
                else
                {
                    after = membership.Cursor;
                    membership.Cursor = frame.Through;
                    if (frame.SoleWriter == _connectionId)
                        return;
                }
            }

            if (_writing)
            {
                // A member that is behind is served by the loop that is writing.
                if (membership is { Mode: MembershipMode.Live, Source.IsServedWhenFree: true })
                    FallBehind(membership, after);
                else if (membership is null or { Mode: MembershipMode.Live })
                    Queue(message, membership, after);
                return;
            }

            StartWriting();
        }

        var write = membership is { Mode: MembershipMode.Behind } ? default : WriteAsync(message);
        if (write.IsCompletedSuccessfully && EndWritingIfNothingWaits())
            return;
        _ = DrainAsync(write);
    }

    /// <summary>Closes the connection when its current write has made no progress for too long.</summary>
    public void CheckProgress(long now)
    {
        long stalled;
        lock (_gate)
        {
            // A write may stand behind a large one that goes on.
            stalled = now - Math.Max(_writeStarted, _stream?.ProgressedAt ?? 0);
            if (!_writing || _stopped || stalled < options.WriteTimeoutMilliseconds)
                return;
        }

        metrics.Stalled();
        FanoutLog.Stalled(logger, _connectionId, stalled);
        recipient.Abort();
    }

    /// <summary>Writes to the connection. What fails, fails the task: no sender shall hear of it.</summary>
    private ValueTask WriteAsync(SerializedHubMessage message)
    {
        // Only one write is under way at a time.
        _deliveries++;
        try
        {
            return _socket is { } socket ? socket.WriteAsync(message.GetSerializedMessage(_protocol)) : recipient.WriteAsync(message);
        }
        catch (Exception exception)
        {
            return ValueTask.FromException(exception);
        }
    }

    private static IRoomFrame? FrameOf(SerializedHubMessage message) =>
        message.Message is InvocationMessage { Arguments: { Length: > 0 } arguments } ? arguments[^1] as IRoomFrame : null;

    private void Queue(SerializedHubMessage message, Membership? membership, long after)
    {
        _mayWait = true;
        _queue.Enqueue(new QueuedMessage(
            message, membership, after, message.GetSerializedMessage(_protocol).Length, Environment.TickCount64));
        if (!_queue.IsOverfull)
            return;

        var dropped = _queue.DropWhere(LeaveToLog);
        if (_queue.IsTooLarge)
        {
            FanoutLog.TooSlow(logger, _connectionId);
            recipient.Abort();
            return;
        }

        metrics.FellBehind(dropped);
        FanoutLog.FellBehind(logger, _connectionId, dropped);
    }

    /// <summary>Notes for the room concerned what is dropped. What cannot be had again is not.</summary>
    private bool LeaveToLog(QueuedMessage queued)
    {
        if (queued.Membership is { } membership)
        {
            if (membership.Mode is MembershipMode.Live)
                FallBehind(membership, queued.After);
            return true;
        }

        if (!IsLatestWins(queued.Message))
            return false;
        _memberships.NoteLatestIsStale();
        return true;
    }

    private void FallBehind(Membership membership, long after)
    {
        _mayWait = true;
        membership.FallBehind(after);
    }

    private static bool IsLatestWins(SerializedHubMessage message) =>
        message.Message is InvocationMessage { Target: HubContract.AwarenessUpdated };

    /// <summary>Nothing is sent any more; the connection stays in its rooms until it has ended.</summary>
    public void StopSending()
    {
        lock (_gate)
            Stop();
    }

    private void Stop()
    {
        _stopped = true;
        _queue.Clear();
    }

    private bool TryStartWriting()
    {
        if (_writing)
            return false;
        StartWriting();
        return true;
    }

    private void StartWriting()
    {
        _writing = true;
        _writeStarted = Environment.TickCount64;
    }

    private bool EndWritingIfNothingWaits()
    {
        lock (_gate)
        {
            if (_mayWait && !_stopped)
            {
                if (_queue.Count > 0 || _memberships.NextToCatchUp() is not null)
                    return false;
                _mayWait = false;
            }

            _writing = false;
            return true;
        }
    }

    /// <summary>Writes until nothing waits: first what is queued, then what the logs hold for those rooms that are behind.</summary>
    private async Task DrainAsync(ValueTask firstWrite)
    {
        try
        {
            await firstWrite;
            while (!EndWritingIfNothingWaits())
            {
                SerializedHubMessage? next = null;
                Membership? behind = null;
                lock (_gate)
                {
                    _writeStarted = Environment.TickCount64;
                    if (_queue.TryDequeue(out var queued))
                        next = queued.Message;
                    else
                        behind = _memberships.NextToCatchUp();
                }

                if (next is not null)
                    await WriteAsync(next);
                else if (behind is not null)
                    await CatchUpAsync(behind);
            }
        }
        catch (OperationCanceledException) when (recipient.ConnectionAborted.IsCancellationRequested)
        {
            StopSending();
        }
        catch (Exception exception) when (exception is ObjectDisposedException or IOException)
        {
            // The transport has ended before the hub has noticed.
            StopSending();
            recipient.Abort();
        }
        catch (Exception exception)
        {
            FanoutLog.OutboxFailed(logger, _connectionId, exception);
            StopSending();
            recipient.Abort();
        }
    }

    /// <summary>Sends one page of what the member missed.</summary>
    private async Task CatchUpAsync(Membership membership)
    {
        // Whoever sent the last message to this outbox may still be on this thread; reading the log must not hold him up.
        await Task.Yield();
        long cursor;
        lock (_gate)
            cursor = membership.Cursor;

        CatchUpMessage? page = null;
        if (membership.Mode is MembershipMode.Behind)
        {
            try
            {
                page = await membership.Source.ReadAfterAsync(cursor, recipient.ConnectionAborted);
            }
            catch (RoomLogUnavailableException exception)
            {
                FanoutLog.CatchUpFailed(logger, _connectionId, exception);
                await Task.Delay(options.WriteTimeoutMilliseconds / 5, recipient.ConnectionAborted);
                return;
            }
        }

        if (page is { } read)
        {
            lock (_gate)
                _writeStarted = Environment.TickCount64;
            await WriteAsync(new SerializedHubMessage(read.Message));
            lock (_gate)
                membership.Cursor = Math.Max(membership.Cursor, read.Through);
            return;
        }

        bool latestIsStale;
        lock (_gate)
        {
            // Nothing after the cursor was in the log when it was read; what was sent since then is noted in Missed.
            if (membership.Mode is MembershipMode.Behind && membership.Missed > cursor && membership.NoteUnread(membership.Missed))
                return;
            membership.Cursor = Math.Max(membership.Cursor, membership.Missed);
            membership.Mode = MembershipMode.Live;
            latestIsStale = membership.LatestIsStale;
            membership.LatestIsStale = false;
        }

        FanoutLog.CaughtUp(logger, _connectionId, membership.Room.Kind);
        if (latestIsStale && membership.Source.ReadLatest() is { } latest)
            await WriteAsync(new SerializedHubMessage(latest));
    }
}
