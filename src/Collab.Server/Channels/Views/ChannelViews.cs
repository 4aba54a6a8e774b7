using Collab.Protocol;
using Collab.Server.Fanout;
using Collab.Server.Rooms;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Channels.Views;

/// <summary>The views of a channel that somebody follows on this node, each with one feed for all of them.</summary>
internal sealed class ChannelViews(ChannelRoom room, CollabLifetimeManager connections, int most, ILogger logger)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ViewFeed> _feeds = new(StringComparer.Ordinal);
    // What is rung without the lock.
    private volatile ViewFeed[] _all = [];

    /// <summary>How many there are.</summary>
    public int Count => _all.Length;

    /// <summary>What connections know their subscriptions to them by.</summary>
    public IEnumerable<RoomKey> Keys => _all.Select(feed => feed.View.Key).Distinct();

    /// <summary>Follows a view.</summary>
    /// <returns>What to call when that is over.</returns>
    /// <exception cref="CollabException"><c>too_many</c>: the channel is read in too many ways already.</exception>
    public async ValueTask<Action> EnterAsync(ChannelView view, CancellationToken cancellationToken)
    {
        if (view.IsWhole)
            return static () => { };
        var (head, _) = await room.GetHeadAsync(cancellationToken);
        ViewFeed? feed;
        lock (_gate)
        {
            if (!_feeds.TryGetValue(view.Group, out feed))
            {
                if (_feeds.Count >= most)
                    throw new CollabException(ErrorCodes.TooMany, $"this channel is read with {most} different filters or rights already; use one of these, or try another time");
                feed = new ViewFeed(view, connections, logger);
                feed.Begin(head);
                _feeds.Add(view.Group, feed);
                _all = [.. _feeds.Values];
            }

            feed.Members++;
        }

        return () => Leave(feed);
    }

    /// <inheritdoc cref="ViewFeed.Ring"/>
    public void Ring(bool tellsProgress = false)
    {
        foreach (var feed in _all)
            feed.Ring(tellsProgress);
    }

    private void Leave(ViewFeed feed)
    {
        lock (_gate)
        {
            if (--feed.Members > 0)
                return;
            _feeds.Remove(feed.View.Group);
            _all = [.. _feeds.Values];
        }

        feed.End();
    }
}
