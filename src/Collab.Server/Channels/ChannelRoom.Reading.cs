using Collab.Protocol;
using Collab.Server.Rooms;

namespace Collab.Server.Channels;

// What the channel has: its newest messages from memory, others from the log.
internal sealed partial class ChannelRoom
{
    /// <summary>The position of the last message, and the offset after which the history begins.</summary>
    public async ValueTask<(Position Head, long Start)> GetHeadAsync(CancellationToken cancellationToken)
    {
        string? epoch;
        long head;
        lock (_gate)
            (epoch, head) = (_tail.Epoch, _tail.Head);
        if (epoch is null)
        {
            var page = await _log.ReadBeforeAsync(Key, long.MaxValue, 256, MaxBatchBytes, cancellationToken);
            Retention.Trimmed(page.Trimmed);
            lock (_gate)
            {
                if (_tail.Epoch is null)
                    _tail.Append(page.Epoch, page.Head - page.Entries.Count, Decode(page.Epoch, page.Entries));
                (epoch, head) = (_tail.Epoch!, _tail.Head);
            }

            _feed.Begin(new Position(epoch, head));
        }

        return (new Position(epoch, head), Retention.StartOf(head));
    }

    /// <summary>
    /// Whether the log goes as far as a position. It may go further than this node knows yet: what is committed can be read at once.
    /// </summary>
    public async ValueTask<bool> ReachesAsync(Position position, CancellationToken cancellationToken)
    {
        var (head, _) = await GetHeadAsync(cancellationToken);
        if (!position.IsSameLogAs(head) || position.Offset <= head.Offset)
            return position.IsSameLogAs(head);
        var last = await _log.ReadBeforeAsync(Key, long.MaxValue, 1, MaxBatchBytes, cancellationToken);
        return position.IsSameLogAs(new Position(last.Epoch, last.Head)) && position.Offset <= last.Head;
    }

    /// <summary>The messages after an offset, as far as the limits allow; at least one if there is one.</summary>
    public async ValueTask<ChannelPage> ReadAfterAsync(long after, int limit, long maxBytes, CancellationToken cancellationToken)
    {
        var (head, start) = await GetHeadAsync(cancellationToken);
        var from = Math.Max(after, start);
        while (true)
        {
            IReadOnlyList<StoredMessage>? messages = null;
            lock (_gate)
            {
                if (_tail.Epoch == head.Epoch && from >= _tail.Start)
                {
                    messages = _tail.After(from, limit, maxBytes);
                    head = head with { Offset = _tail.Head };
                }
            }

            if (messages is null)
            {
                var page = await _log.ReadAsync(Key, from, limit, maxBytes, cancellationToken);
                Retention.Trimmed(page.Trimmed);
                from = Math.Max(from, page.Trimmed);
                messages = Decode(page.Epoch, page.Entries);
                head = new Position(page.Epoch, page.Head);
            }

            // What is too old is as good as trimmed.
            var old = TooOld(messages);
            from += old;
            if (old < messages.Count || old == 0)
                return ChannelPage.Dense(head.Epoch, head.Offset, from, old == 0 ? messages : [.. messages.Skip(old)]);
        }
    }

    /// <summary>
    /// The messages after an offset as the log has them, as far as the limits allow: also those that this node has committed and not sent on yet,
    /// because others before them have not arrived.
    /// </summary>
    public async ValueTask<IReadOnlyList<StoredMessage>> ReadLogAsync(long after, int limit, long maxBytes, CancellationToken cancellationToken)
    {
        var page = await _log.ReadAsync(Key, after, limit, maxBytes, cancellationToken);
        return Decode(page.Epoch, page.Entries);
    }

    /// <summary>The last messages before an offset, in the log's order.</summary>
    public async ValueTask<ChannelPage> ReadBeforeAsync(long before, int limit, long maxBytes, CancellationToken cancellationToken)
    {
        var (head, start) = await GetHeadAsync(cancellationToken);
        var through = Math.Min(before - 1, head.Offset);
        var first = Math.Max(through - limit, start);
        lock (_gate)
        {
            if (_tail.Epoch == head.Epoch && first >= _tail.Start)
            {
                var all = _tail.After(first, (int)Math.Max(through - first, 0), long.MaxValue);
                return Page(new Position(_tail.Epoch, _tail.Head), through, all);
            }
        }

        var page = await _log.ReadBeforeAsync(Key, through + 1, limit, maxBytes, cancellationToken);
        return Page(
            new Position(page.Epoch, page.Head), through, Decode(page.Epoch, page.Entries).Where(message => message.Offset > start).ToList());

        ChannelPage Page(Position headNow, long last, List<StoredMessage> messages)
        {
            messages.RemoveRange(0, TooOld(messages));
            return ChannelPage.Dense(headNow.Epoch, headNow.Offset, messages.Count > 0 ? messages[0].Offset - 1 : Math.Max(last, 0), messages);
        }
    }

    private int TooOld(IReadOnlyList<StoredMessage> messages)
    {
        var oldest = _clock.GetUtcNow().ToUnixTimeMilliseconds() - Namespace.HistorySeconds * 1000;
        var count = 0;
        while (count < messages.Count && messages[count].Message.PublishedAt < oldest)
            count++;
        return count;
    }

    private static StoredMessage[] Decode(string epoch, IReadOnlyList<LogEntry> entries)
    {
        var messages = new StoredMessage[entries.Count];
        for (var i = 0; i < messages.Length; i++)
            messages[i] = new StoredMessage(entries[i].Offset, ChannelEntry.Decode(epoch, entries[i]));
        return messages;
    }
}
