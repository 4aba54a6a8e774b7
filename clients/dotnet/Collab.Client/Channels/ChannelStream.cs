using Collab.Protocol;

namespace Collab.Client;

/// <summary>
/// A subscription that is pulled. What comes faster than it is pulled is kept up to a bound; beyond it the subscription is given up, and
/// begun anew after the last message that was pulled.
/// </summary>
internal sealed class ChannelStream(Channel channel, ChannelSubscribeOptions options) : IDisposable
{
    private const int Capacity = 1_000;

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _news = new(0, 1);
    private List<ChannelMessage> _messages = [];
    private ChannelSubscription? _subscription;
    private CollabException? _refusal;
    private bool _hasOverflowed;
    private string? _position;

    /// <summary>The messages that have come since; waits for one at least.</summary>
    /// <exception cref="CollabException">The subscription was refused or is over.</exception>
    public async Task<IReadOnlyList<ChannelMessage>> NextAsync(CancellationToken cancellationToken)
    {
        _subscription ??= Begin();
        while (true)
        {
            lock (_lock)
            {
                if (_messages.Count > 0)
                {
                    var messages = _messages;
                    _messages = [];
                    _position = messages[^1].Position;
                    return messages;
                }
                if (_refusal is not null)
                    throw _refusal;
                if (_hasOverflowed)
                    _subscription = Begin();
            }
            await _news.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _subscription?.Dispose();
        _news.Dispose();
    }

    private ChannelSubscription Begin()
    {
        _hasOverflowed = false;
        ChannelSubscription? begun = null;
        begun = channel.Subscribe(
            message => Take(message, begun),
            new ChannelSubscribeOptions
            {
                After = _position ?? options.After,
                Rewind = _position is null ? options.Rewind : null,
                Filter = options.Filter,
                Presence = options.Presence,
                OnGap = options.OnGap,
                OnMembers = options.OnMembers,
                OnClosed = error =>
                {
                    options.OnClosed?.Invoke(error);
                    End(error);
                },
            });
        // A connection that is closed for good refuses nothing.
        _ = begun.Ready.ContinueWith(
            ready => End((CollabException)ready.Exception!.InnerException!),
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted,
            TaskScheduler.Default);
        return begun;
    }

    private void Take(ChannelMessage message, ChannelSubscription? from)
    {
        lock (_lock)
        {
            if (_hasOverflowed)
                return;
            if (_messages.Count < Capacity)
            {
                _messages.Add(message);
            }
            else
            {
                _hasOverflowed = true;
                from?.Dispose();
            }
        }
        Wake();
    }

    private void End(CollabException error)
    {
        lock (_lock)
        {
            if (error.Code == ClientErrorCodes.Unsubscribed)
                return;
            _refusal = error;
        }
        Wake();
    }

    private void Wake()
    {
        try
        {
            if (_news.CurrentCount == 0)
                _news.Release();
        }
        catch (Exception exception) when (exception is SemaphoreFullException or ObjectDisposedException)
        {
            // It is awake already, or nobody waits any more.
        }
    }
}
