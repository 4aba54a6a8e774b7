using Collab.Server.Rooms;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Channels;

/// <summary>Keeps one channel's history within its bounds: takes the oldest away, off the hot path and one batch at a time.</summary>
internal sealed class ChannelRetention(RoomKey room, LogRetention keep, IRoomLog log, string channel, ILogger logger)
{
    private readonly long _trimAfterMessages = Math.Max(keep.MaxEntries / 10, 64);
    private readonly long _trimAfterBytes = Math.Max(keep.MaxBytes / 10, 64 * 1024);
    private long _messages;
    private long _bytes;
    private long _trimmed;
    private int _trimming;

    /// <summary>The offset after which a history begins whose last message is at <paramref name="head"/>, as far as is known.</summary>
    public long StartOf(long head) => Math.Max(Interlocked.Read(ref _trimmed), head - keep.MaxEntries);

    /// <summary>The log was seen to begin after this offset.</summary>
    public void Trimmed(long offset)
    {
        long known;
        while (offset > (known = Interlocked.Read(ref _trimmed)))
            Interlocked.CompareExchange(ref _trimmed, offset, known);
    }

    /// <summary>Called in turn, after each commit.</summary>
    public void Appended(List<StoredMessage> messages)
    {
        _messages += messages.Count;
        foreach (var message in messages)
            _bytes += message.Weight;
        if (_messages < _trimAfterMessages && _bytes < _trimAfterBytes)
            return;
        (_messages, _bytes) = (0, 0);
        _ = TrimAsync();
    }

    /// <summary>Takes away what is not to be kept. Never throws; what fails is tried again by the next call.</summary>
    public async Task TrimAsync()
    {
        if (Interlocked.Exchange(ref _trimming, 1) != 0)
            return;
        try
        {
            while (await log.TrimAsync(room, keep, CancellationToken.None) == LogRetention.MaxTrim)
                continue;
        }
        catch (RoomLogUnavailableException exception)
        {
            ChannelLog.TrimFailed(logger, channel, exception);
        }
        finally
        {
            Volatile.Write(ref _trimming, 0);
        }
    }
}
