using Collab.Protocol;
using Collab.Server.Fanout;
using Collab.Server.Rooms;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Channels.Views;

/// <summary>
/// The views of a channel that somebody follows on this node. Those that only filter are served together, so that a message is read and taken apart
/// once for all of them; one for which a feature has to be asked goes at its own speed.
/// </summary>
internal sealed class ChannelViews
{
    private const int PageMessages = 256;
    private const int PageBytes = 32 * 1024;

    private readonly ChannelRoom _room;
    private readonly CollabLifetimeManager _connections;
    private readonly int _most;
    private readonly ILogger _logger;
    private readonly BackgroundReading _filtering;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ViewFeed> _feeds = new(StringComparer.Ordinal);
    private readonly Dictionary<ViewFeed, BackgroundReading> _asking = [];
    // What is looked at without the lock.
    private volatile ViewFeed[] _filtered = [];
    private volatile BackgroundReading[] _readings = [];

    /// <param name="room">The channel.</param>
    /// <param name="connections">Those who follow.</param>
    /// <param name="most">How many views it may have.</param>
    /// <param name="logger">Where it says what goes wrong.</param>
    public ChannelViews(ChannelRoom room, CollabLifetimeManager connections, int most, ILogger logger)
    {
        (_room, _connections, _most, _logger) = (room, connections, most, logger);
        _filtering = new BackgroundReading(room, FilterAsync, logger);
    }

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _feeds.Count;
        }
    }

    /// <summary>What connections know their subscriptions to them by.</summary>
    public IReadOnlyCollection<RoomKey> Keys
    {
        get
        {
            lock (_gate)
                return [.. _feeds.Values.Select(feed => feed.View.Key).Distinct()];
        }
    }

    /// <summary>Follows a view.</summary>
    /// <returns>What to call when that is over.</returns>
    /// <exception cref="CollabException"><c>too_many</c>: the channel is read in too many ways already.</exception>
    public async ValueTask<Action> EnterAsync(ChannelView view, CancellationToken cancellationToken)
    {
        if (view.IsWhole)
            return static () => { };
        var (head, _) = await _room.GetHeadAsync(cancellationToken);
        ViewFeed? feed;
        lock (_gate)
        {
            if (!_feeds.TryGetValue(view.Group, out feed))
            {
                if (_feeds.Count >= _most)
                    throw new CollabException(ErrorCodes.TooMany, $"this channel is read with {_most} different filters or rights already; use one of these, or try another time");
                feed = new ViewFeed(view, _connections, head);
                _feeds.Add(view.Group, feed);
                if (view.HasSight)
                    _asking.Add(feed, new BackgroundReading(_room, tellsProgress => AskAsync(feed, tellsProgress), _logger));
                NoteFeeds();
            }

            feed.Members++;
        }

        return () => Leave(feed);
    }

    /// <inheritdoc cref="BackgroundReading.Ring"/>
    public void Ring(bool tellsProgress = false)
    {
        if (_filtered.Length > 0)
            _filtering.Ring(tellsProgress);
        foreach (var reading in _readings)
            reading.Ring(tellsProgress);
    }

    private void Leave(ViewFeed feed)
    {
        lock (_gate)
        {
            if (--feed.Members > 0)
                return;
            _feeds.Remove(feed.View.Group);
            if (_asking.Remove(feed, out var reading))
                reading.End();
            NoteFeeds();
        }
    }

    private void NoteFeeds()
    {
        _filtered = [.. _feeds.Values.Where(feed => !feed.View.HasSight)];
        _readings = [.. _asking.Values];
    }

    /// <summary>Reads on for all views that only filter, from where the last of them is.</summary>
    private async Task FilterAsync(bool tellsProgress)
    {
        while (_filtered is { Length: > 0 } feeds)
        {
            var read = feeds.Min(feed => feed.Read);
            var page = await _room.ReadAfterAsync(read, PageMessages, PageBytes, CancellationToken.None);
            if (!IsOf(page, feeds[0].Epoch))
                return;
            if (page.Through <= read)
                break;
            var rows = new MessageRow[page.Messages.Count];
            for (var i = 0; i < rows.Length; i++)
                rows[i] = MessageRow.Of(page.Messages[i]);
            foreach (var feed in feeds)
                await feed.TakeAsync(page.After, page.Through, Matching(page.Messages, rows, feed.View.Filter!));
        }

        if (tellsProgress)
        {
            foreach (var feed in _filtered)
                await feed.TellProgressAsync();
        }
    }

    private static IEnumerable<StoredMessage> Matching(IReadOnlyList<StoredMessage> messages, MessageRow[] rows, ChannelFilter filter)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            if (filter.Matches(rows[i]))
                yield return messages[i];
        }
    }

    /// <summary>Reads on for a view for which a feature is asked.</summary>
    private async Task AskAsync(ViewFeed feed, bool tellsProgress)
    {
        while (true)
        {
            var read = feed.Read;
            var page = await feed.View.ReadAfterAsync(read, PageMessages, PageBytes, CancellationToken.None);
            if (!IsOf(page, feed.Epoch))
                return;
            if (page.Through <= read)
                break;
            await feed.TakeAsync(page.After, page.Through, page.Messages);
        }

        if (tellsProgress)
            await feed.TellProgressAsync();
    }

    // When the log has begun anew, the members will come back.
    private bool IsOf(in ChannelPage page, string epoch)
    {
        if (page.Epoch == epoch)
            return true;
        _room.NoteRestarted();
        return false;
    }
}
