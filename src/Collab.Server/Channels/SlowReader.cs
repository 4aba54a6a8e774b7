using Collab.Server.Channels.Views;

namespace Collab.Server.Channels;

/// <summary>Makes of what a reader has missed what his namespace says.</summary>
internal sealed class SlowReader(ChannelView view, SlowReaders mode, ChannelMetrics metrics)
{
    private const int PageMessages = 256;

    /// <summary>What comes next for a reader who has everything up to <paramref name="after"/>; null when nothing does.</summary>
    public async ValueTask<ChannelBatch?> ReadAfterAsync(long after, int maxBytes, CancellationToken cancellationToken)
    {
        var page = await view.ReadAfterAsync(after, PageMessages, maxBytes, cancellationToken);
        if (page.Through <= after)
            return null;
        var (start, count) = (page.After, page.Messages.Count);
        var messages = page.Messages;
        if (mode is SlowReaders.Latest)
            (messages, page, count) = await LatestAsync(page, maxBytes, cancellationToken);
        else if (mode is SlowReaders.Coalesce)
            messages = TextPieces.Join(messages);
        metrics.Served(mode, messages.Count, count);
        return new ChannelBatch(view.Key, page.Epoch, after, page.Through, start > after, StoredMessage.CountSkipped(start, messages));
    }

    /// <summary>Of everything there is the newest message of each event name.</summary>
    /// <returns>These, the last page, and how many messages there were.</returns>
    private async ValueTask<(IReadOnlyList<StoredMessage> Messages, ChannelPage Last, int Count)> LatestAsync(
        ChannelPage page, int maxBytes, CancellationToken cancellationToken)
    {
        var latest = new Dictionary<string, StoredMessage>(StringComparer.Ordinal);
        for (var count = 0; ;)
        {
            count += page.Messages.Count;
            foreach (var message in page.Messages)
                latest[message.Message.Event] = message;
            var next = await view.ReadAfterAsync(page.Through, PageMessages, maxBytes, cancellationToken);
            if (next.Through <= page.Through)
                return ([.. latest.Values.OrderBy(message => message.Offset)], page, count);
            page = next;
        }
    }
}
