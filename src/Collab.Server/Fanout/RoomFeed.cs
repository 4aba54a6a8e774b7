using System.Diagnostics;
using Collab.Protocol;
using Collab.Server.Nodes;
using Collab.Server.Rooms;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Fanout;

/// <summary>A part of a room's log that the members on this node are told at one go.</summary>
internal interface IFeedFrame<TFrame>
{
    /// <summary>The epoch of the log.</summary>
    string Epoch { get; }

    /// <summary>It covers the entries with larger offsets than this…</summary>
    long After { get; }

    /// <summary>… up to and including this one.</summary>
    long Through { get; }

    /// <summary>The part of it that follows an offset within it.</summary>
    TFrame Beyond(long offset);
}

/// <summary>
/// Tells the members on this node what a room's log holds, in its order and without gaps, whoever has written it: this node or, over the
/// backplane, another. What comes before its turn waits a moment; what does not come is read from the log.
/// </summary>
/// <param name="send">Sends frames, each of which follows the one before, to the members. It does not wait for them, and does not keep the list.</param>
/// <param name="read">Reads what follows an offset; null when there is nothing.</param>
/// <param name="beat">For how long after something was sent what comes from elsewhere waits for more.</param>
/// <param name="logger">Where it says what nobody expected.</param>
internal sealed class RoomFeed<TFrame>(
    Func<IReadOnlyList<TFrame>, Task> send, Func<long, Task<TFrame?>> read, TimeSpan beat, ILogger logger)
    where TFrame : class, IFeedFrame<TFrame>
{
    /// <summary>How long a frame that is missing may take from another node before the log is asked.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    private const int MaxEarly = 64;

    private readonly Lock _gate = new();
    private List<TFrame> _ready = [];
    private List<TFrame> _spare = [];
    // Those that came before their turn, by their beginning.
    private readonly SortedList<long, TFrame> _early = [];
    private string? _epoch;
    private long _told;
    private long _head;
    private long _lastSent;
    private bool _sending;
    private bool _sentOwn;
    private bool _gathering;
    private bool _filling;

    /// <summary>Where the feed begins, when it is not known yet: nobody was told anything before.</summary>
    public void Begin(Position head)
    {
        lock (_gate)
        {
            if (_epoch is null)
                Restart(head.Epoch, head.Offset);
        }
    }

    /// <summary>Tells the members of a frame, in its turn.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="gather">
    /// Whether it may wait a moment to go out with others: when several nodes write, each member gets one message a beat, not one from each node.
    /// </param>
    /// <returns>Completes when it was sent, or waits.</returns>
    public Task OfferAsync(TFrame frame, bool gather = false)
    {
        lock (_gate)
        {
            if (_epoch != frame.Epoch)
                Restart(frame.Epoch, frame.After);
            _head = Math.Max(_head, frame.Through);
            if (frame.Through <= _told)
                return Task.CompletedTask;
            if (frame.After <= _told)
                Take(frame);
            else if (_early.Count < MaxEarly)
                _early[frame.After] = frame;
            TakeEarly();
            FillIfBehind(Patience);
            if (_sending || _ready.Count == 0)
                return Task.CompletedTask;
            // Where this node commits as well, its next commit takes along what waits.
            var left = gather ? (_sentOwn ? beat * 2 : beat) - Stopwatch.GetElapsedTime(_lastSent) : TimeSpan.Zero;
            if (left > TimeSpan.Zero)
            {
                if (!_gathering)
                    _ = SendLaterAsync(left);
                return Task.CompletedTask;
            }

            _sending = true;
            _sentOwn = !gather;
        }

        return SendReadyAsync();
    }

    /// <summary>The log is known to go as far as this: what the members were not told is read from it.</summary>
    /// <returns>Whether something is missing.</returns>
    public bool NoteHead(Position head)
    {
        lock (_gate)
        {
            if (_epoch is null)
                return false;
            if (_epoch != head.Epoch)
            {
                // The log began anew, and its beginning is news.
                if (head.Offset == 0)
                    return false;
                Restart(head.Epoch, 0);
            }

            _head = Math.Max(_head, head.Offset);
            FillIfBehind(TimeSpan.Zero);
            return _head > _told;
        }
    }

    private void Restart(string epoch, long told)
    {
        (_epoch, _told, _head) = (epoch, told, told);
        _early.Clear();
    }

    private void Take(TFrame frame)
    {
        _ready.Add(frame.After < _told ? frame.Beyond(_told) : frame);
        _told = frame.Through;
    }

    private void TakeEarly()
    {
        while (_early.Count > 0 && _early.GetKeyAtIndex(0) <= _told)
        {
            var frame = _early.GetValueAtIndex(0);
            _early.RemoveAt(0);
            if (frame.Through > _told)
                Take(frame);
        }
    }

    private void FillIfBehind(TimeSpan patience)
    {
        if (_filling || _head <= _told)
            return;
        _filling = true;
        _ = FillAsync(patience);
    }

    /// <summary>Reads what is missing. When the log cannot be read, whoever knows next that something is missing begins anew.</summary>
    private async Task FillAsync(TimeSpan patience)
    {
        try
        {
            await Task.Delay(patience);
            while (true)
            {
                long told;
                lock (_gate)
                {
                    told = _told;
                    _filling = _head > told;
                    if (!_filling)
                        return;
                }

                if (await read(told) is { } frame && frame.Through > told)
                {
                    await OfferAsync(frame);
                    continue;
                }

                // What was said to be there is not: the log began anew, and whoever writes next says where.
                lock (_gate)
                    _head = _told;
            }
        }
        catch (Exception exception)
        {
            lock (_gate)
                _filling = false;
            // A store that cannot be read now is asked again by whoever knows next that something is missing.
            if (exception is not RoomLogUnavailableException)
                NodeLog.SendFailed(logger, exception);
        }
    }

    /// <summary>Sends what is ready then, unless something else has sent it before.</summary>
    private async Task SendLaterAsync(TimeSpan later)
    {
        _gathering = true;
        await Task.Delay(later);
        lock (_gate)
        {
            _gathering = false;
            if (_sending || _ready.Count == 0)
                return;
            _sending = true;
            _sentOwn = false;
        }

        await SendReadyAsync();
    }

    private async Task SendReadyAsync()
    {
        while (true)
        {
            List<TFrame> frames;
            lock (_gate)
            {
                if (_ready.Count == 0)
                {
                    _sending = false;
                    return;
                }

                (frames, _ready) = (_ready, _spare);
                _lastSent = Stopwatch.GetTimestamp();
            }

            try
            {
                await send(frames);
            }
            catch (Exception exception)
            {
                NodeLog.SendFailed(logger, exception);
            }

            frames.Clear();
            _spare = frames;
        }
    }
}
