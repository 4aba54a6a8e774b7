using Collab.Protocol;
using Collab.Server.Fanout;
using Collab.Server.Rooms;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Channels.Views;

/// <summary>
/// Tells those who follow a view what the channel holds for them, as it comes: reads on from where it is whenever something was published, so that
/// neither the publishers nor other readers wait for what the view has to find out. One for all who follow the same view on this node.
/// </summary>
/// <remarks>
/// What it has sent brings every member to one offset, so members' cursors are at what they were told. What was not for them is told
/// together with the next message, or once a second.
/// </remarks>
internal sealed class ViewFeed(ChannelView view, CollabLifetimeManager connections, ILogger logger)
{
    private const int PageMessages = 256;
    private const int PageBytes = 32 * 1024;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private const int Idle = 0;
    private const int Reading = 1;
    private const int Rung = 2;

    private string? _epoch;
    // The members have been told up to here…
    private long _told;
    // … and it has looked through the log up to there.
    private long _read;
    private int _state = Idle;
    private bool _tellsProgress;
    private volatile bool _isOver;

    public ChannelView View => view;

    /// <summary>How many follow it. Guarded by <see cref="ChannelViews"/>.</summary>
    public int Members { get; set; }

    /// <summary>Where it begins: nobody was told anything before.</summary>
    public void Begin(Position head) => (_epoch, _told, _read) = (head.Epoch, head.Offset, head.Offset);

    /// <summary>Something was published.</summary>
    /// <param name="tellsProgress">The members are told how far they are, also when nothing is for them.</param>
    public void Ring(bool tellsProgress = false)
    {
        if (tellsProgress)
            Volatile.Write(ref _tellsProgress, true);
        if (Interlocked.Exchange(ref _state, Rung) == Idle)
            _ = Task.Run(RunAsync);
    }

    /// <summary>Nobody follows it any more.</summary>
    public void End() => _isOver = true;

    private async Task RunAsync()
    {
        do
        {
            Interlocked.Exchange(ref _state, Reading);
            try
            {
                await TellAsync();
            }
            catch (RoomLogUnavailableException exception)
            {
                ChannelLog.ViewWaits(logger, view.Room.Name, exception);
                await WaitAsync();
            }
            catch (Exception exception)
            {
                ChannelLog.ViewFailed(logger, view.Room.Name, exception);
                await WaitAsync();
            }
        }
        while (!_isOver && Interlocked.CompareExchange(ref _state, Idle, Reading) != Reading);
    }

    /// <summary>Tries again then.</summary>
    private Task WaitAsync()
    {
        Interlocked.Exchange(ref _state, Rung);
        return Task.Delay(RetryInterval);
    }

    private async Task TellAsync()
    {
        while (!_isOver)
        {
            var page = await view.ReadAfterAsync(_read, PageMessages, PageBytes, CancellationToken.None);
            if (page.Epoch != _epoch)
            {
                // Its members will come back.
                view.Room.NoteRestarted();
                return;
            }

            if (page.Through <= _read)
                break;
            // Members who lack what is lost fall behind, and their own reading tells them.
            if (page.After > _read)
                _told = page.After;
            _read = page.Through;
            if (page.Messages.Count > 0)
                await SendAsync(page.Messages[^1].Offset, page.Messages);
        }

        if (_tellsProgress && _read > _told)
            await SendAsync(_read, []);
        Volatile.Write(ref _tellsProgress, false);
    }

    private async Task SendAsync(long through, IReadOnlyList<StoredMessage> messages)
    {
        var batch = new ChannelBatch(view.Key, _epoch!, _told, through, isGap: false, StoredMessage.CountSkipped(_told, messages));
        _told = through;
        var invocation = batch.ToInvocation();
        await connections.SendGroupAsync(view.Group, invocation.Target, invocation.Arguments!);
    }
}
