using Collab.Server.Rooms;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Channels.Views;

/// <summary>
/// Reads a channel on whenever something was published, beside what publishes it: neither publishers nor other readers wait for it. What fails is tried
/// again. Of one no two calls are under way at a time.
/// </summary>
/// <param name="room">The channel.</param>
/// <param name="readAsync">Reads all that there is. True: the readers are to be told how far they are.</param>
/// <param name="logger">Where it says what went wrong.</param>
internal sealed class BackgroundReading(ChannelRoom room, Func<bool, Task> readAsync, ILogger logger)
{
    private const int Idle = 0;
    private const int Reading = 1;
    private const int Rung = 2;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private int _state = Idle;
    private int _tellsProgress;
    private volatile bool _isOver;

    /// <summary>Something was published, or it is time to say how far the readers are.</summary>
    public void Ring(bool tellsProgress)
    {
        if (tellsProgress)
            Volatile.Write(ref _tellsProgress, 1);
        if (!_isOver && Interlocked.Exchange(ref _state, Rung) == Idle)
            _ = Task.Run(RunAsync);
    }

    /// <summary>Nobody reads any more.</summary>
    public void End() => _isOver = true;

    private async Task RunAsync()
    {
        do
        {
            Interlocked.Exchange(ref _state, Reading);
            try
            {
                await readAsync(Interlocked.Exchange(ref _tellsProgress, 0) != 0);
            }
            catch (Exception exception)
            {
                if (exception is RoomLogUnavailableException)
                    ChannelLog.ViewWaits(logger, room.Name, exception);
                else
                    ChannelLog.ViewFailed(logger, room.Name, exception);
                Interlocked.Exchange(ref _state, Rung);
                await Task.Delay(RetryInterval);
            }
        }
        while (!_isOver && Interlocked.CompareExchange(ref _state, Idle, Reading) != Reading);
    }
}
