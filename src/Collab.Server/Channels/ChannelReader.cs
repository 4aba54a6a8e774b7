using Collab.Protocol;
using Collab.Server.Channels.Views;

namespace Collab.Server.Channels;

/// <summary>One who reads a channel part by part, as fast as he likes; the channel stays open for him until he is disposed.</summary>
internal sealed class ChannelReader(ChannelView view, ChannelPage start) : IDisposable
{
    private const int PartMessages = 256;
    private const int PartBytes = 32 * 1024;

    private IReadOnlyList<StoredMessage>? _first = start.Messages;
    private long _cursor = start.Through;
    private bool _closed;

    /// <summary>What he sees of the channel.</summary>
    public ChannelView View => view;

    /// <summary>What comes next, as soon as there is something.</summary>
    /// <exception cref="CollabException"><c>position_lost</c>: it has been read too slowly, the history no longer has what comes next.</exception>
    public async Task<IReadOnlyList<StoredMessage>> NextAsync(CancellationToken cancellationToken)
    {
        if (_first is { } first)
        {
            _first = null;
            if (first.Count > 0)
                return first;
        }

        while (true)
        {
            if (await view.SlowReader.ReadAfterAsync(_cursor, PartBytes, cancellationToken) is { } batch)
            {
                if (batch.IsGap)
                    throw new CollabException(ErrorCodes.PositionLost, "messages were published faster than they were read, and some are gone");
                _cursor = batch.Through;
                if (batch.Stored.Count > 0)
                    return batch.Stored;
            }

            await view.Room.WaitAsync(_cursor).WaitAsync(cancellationToken);
        }
    }

    public void Dispose()
    {
        if (_closed)
            return;
        _closed = true;
        view.Room.Leave();
    }
}

/// <summary>Where a reader begins.</summary>
/// <param name="Page">What he gets at once, and where that brings him.</param>
/// <param name="Recovered">False when something between the position he gave and the page is lost.</param>
internal readonly record struct ChannelStart(ChannelPage Page, bool Recovered);

/// <summary>The answer to a poll.</summary>
/// <param name="Page">The messages.</param>
/// <param name="Recovered">False when something between the position that was given and the messages is lost.</param>
/// <param name="Start">The offset after which the history begins.</param>
/// <param name="Tag">Tells it from answers of other views; null when it may be another one the next time (<see cref="ChannelView.Tag"/>).</param>
internal readonly record struct ChannelPoll(ChannelPage Page, bool Recovered, long Start, string? Tag);

/// <summary>The answer to <c>Subscribe</c>, after which the subscription begins.</summary>
internal sealed class SubscribeAnswer(SubscribedChannel answer, Action follow) : Fanout.IAnswerThenFollow
{
    public object Answer => answer;

    public void Written() => follow();
}
