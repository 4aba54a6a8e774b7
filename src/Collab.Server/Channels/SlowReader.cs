namespace Collab.Server.Channels;

/// <summary>Makes of what a reader has missed what his namespace says.</summary>
internal sealed class SlowReader(ChannelRoom room, SlowReaders mode, ChannelMetrics metrics)
{
    private const int PageMessages = 256;

    /// <summary>What comes next for a reader who has everything up to <paramref name="after"/>; null when nothing does.</summary>
    public async ValueTask<ChannelBatch?> ReadAfterAsync(long after, int maxBytes, CancellationToken cancellationToken)
    {
        var page = await room.ReadAfterAsync(after, PageMessages, maxBytes, cancellationToken);
        if (page.Through <= after)
            return null;
        var isGap = page.After > after;
        var messages = mode switch
        {
            SlowReaders.Latest => await LatestAsync(page, maxBytes, cancellationToken),
            SlowReaders.Coalesce => TextPieces.Join(page.Messages),
            _ => page.Messages,
        };
        var through = messages.Count > 0 ? Math.Max(messages[^1].Offset, page.Through) : page.Through;
        metrics.Served(mode, messages.Count, through - page.After);
        return new ChannelBatch(room.Key, page.Epoch, after, through, isGap, messages);
    }

    /// <summary>Of everything there is the newest message of each event name.</summary>
    private async ValueTask<IReadOnlyList<StoredMessage>> LatestAsync(ChannelPage page, int maxBytes, CancellationToken cancellationToken)
    {
        var latest = new Dictionary<string, StoredMessage>(StringComparer.Ordinal);
        var (first, last) = (page.After, page.After);
        while (page.Messages.Count > 0)
        {
            foreach (var message in page.Messages)
                latest[message.Message.Event] = message;
            last = page.Through;
            page = await room.ReadAfterAsync(last, PageMessages, maxBytes, cancellationToken);
        }

        var kept = latest.Values.OrderBy(message => message.Offset).ToArray();
        for (var i = 0; i < kept.Length; i++)
        {
            var skipped = kept[i].Offset - first - 1;
            first = kept[i].Offset;
            kept[i] = kept[i].Skipping(skipped);
        }

        return kept;
    }
}
