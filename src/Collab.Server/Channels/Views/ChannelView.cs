using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Collab.Protocol;
using Collab.Server.Fanout;

namespace Collab.Server.Channels.Views;

/// <summary>
/// What one kind of reader gets of a channel: all of it, or those messages that his filter wants and that he may see. Whoever reads a channel
/// reads it through a view.
/// </summary>
/// <param name="room">The channel.</param>
/// <param name="address">What the reader has named.</param>
/// <param name="sight">What he sees; null for everything.</param>
internal sealed class ChannelView(ChannelRoom room, ChannelAddress address, ChannelSight? sight) : IRoomSource
{
    private const int MaxBatchBytes = 32 * 1024;
    private const int PageMessages = 1000;
    private const int PageBytes = 256 * 1024;

    /// <summary>The most messages that are looked through at one go for those that a reader gets.</summary>
    public const int MaxLookedThrough = 10_000;

    private readonly bool _isWhole = address.Filter is null && sight is null;

    public ChannelRoom Room => room;

    /// <summary>What a connection knows its subscription by.</summary>
    public Rooms.RoomKey Key => address.Key;

    /// <summary>The SignalR group of those who follow it.</summary>
    public string Group { get; } = address.Filter is null && sight is null ? room.Group : $"{room.Group}?{address.Text}\n{sight?.Key}";

    /// <summary>The filter; null when there is none.</summary>
    public ChannelFilter? Filter => address.Filter;

    /// <summary>Whether its readers see less than others.</summary>
    public bool HasSight => sight is not null;

    /// <summary>Whether it has every message of the channel.</summary>
    public bool IsWhole => _isWhole;

    /// <summary>Tells answers of this view from those of others; null when the same messages may be seen differently at another time.</summary>
    public string? Tag => sight is not null ? null
        : address.Filter is null ? ""
        : "-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(address.Text)).AsSpan(0, 8));

    /// <summary>Serves those who have fallen behind, or read part by part.</summary>
    public SlowReader SlowReader => field ??= new SlowReader(this, room.Namespace.SlowReaders, room.Metrics);

    bool IRoomSource.IsServedWhenFree => room.Namespace.SlowReaders is not SlowReaders.Recover;

    async ValueTask<CatchUpMessage?> IRoomSource.ReadAfterAsync(long after, CancellationToken cancellationToken) =>
        await SlowReader.ReadAfterAsync(after, MaxBatchBytes, cancellationToken) is { } batch
            ? new CatchUpMessage(batch.ToInvocation(), batch.Through)
            : null;

    Microsoft.AspNetCore.SignalR.Protocol.InvocationMessage? IRoomSource.ReadLatest() => null;

    /// <summary>Where a reader begins, and what he gets at once.</summary>
    /// <param name="after">The position that he has; null for none.</param>
    /// <param name="rewind">The last so many messages, where there is no position or it cannot be served.</param>
    /// <param name="limit">At most so many messages.</param>
    /// <param name="maxBytes">At most about so many bytes of them.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<ChannelStart> StartAsync(Position? after, int? rewind, int limit, long maxBytes, CancellationToken cancellationToken)
    {
        if (after is { } from)
        {
            var isHere = await room.ReachesAsync(from, cancellationToken);
            if (isHere)
            {
                var page = await ReadAfterAsync(from.Offset, limit, maxBytes, cancellationToken);
                if (page.After == from.Offset)
                    return new ChannelStart(page, true);
            }

            // What is still there follows, unless the caller has said what he wants then.
            return new ChannelStart(
                rewind is { } last
                    ? await ReadBeforeAsync(long.MaxValue, last, maxBytes, cancellationToken)
                    : await ReadAfterAsync(isHere ? from.Offset : 0, limit, maxBytes, cancellationToken),
                false);
        }

        var (head, _) = await room.GetHeadAsync(cancellationToken);
        return new ChannelStart(
            rewind is > 0
                ? await ReadBeforeAsync(long.MaxValue, rewind.Value, maxBytes, cancellationToken)
                : ChannelPage.Dense(head.Epoch, head.Offset, head.Offset, []),
            true);
    }

    /// <summary>The messages after an offset, as far as the limits allow. It may have none and still bring the reader further.</summary>
    public async ValueTask<ChannelPage> ReadAfterAsync(long after, int limit, long maxBytes, CancellationToken cancellationToken)
    {
        if (_isWhole)
            return await room.ReadAfterAsync(after, limit, maxBytes, cancellationToken);
        var first = await room.ReadAfterAsync(after, PageMessages, PageBytes, cancellationToken);
        var (page, through, weight) = (first, first.After, 0L);
        var found = new List<StoredMessage>();
        while (true)
        {
            foreach (var message in await SeenAsync(page.Messages, cancellationToken))
            {
                if (found.Count == limit || (found.Count > 0 && weight + message.Weight > maxBytes))
                    return Found(found[^1].Offset);
                weight += message.Weight;
                found.Add(message);
            }

            through = page.Through;
            if (through >= page.Head || through - first.After >= MaxLookedThrough || found.Count == limit)
                return Found(through);
            page = await room.ReadAfterAsync(through, PageMessages, PageBytes, cancellationToken);
            // What is lost meanwhile, the next page says.
            if (page.After != through || page.Epoch != first.Epoch)
                return Found(through);
        }

        ChannelPage Found(long reached) =>
            new(first.Epoch, Math.Max(first.Head, page.Head), first.After, reached, StoredMessage.CountSkipped(first.After, found));
    }

    /// <summary>The last messages before an offset, in the log's order, as far as the limits allow.</summary>
    public async ValueTask<ChannelPage> ReadBeforeAsync(long before, int limit, long maxBytes, CancellationToken cancellationToken)
    {
        if (_isWhole)
            return await room.ReadBeforeAsync(before, limit, maxBytes, cancellationToken);
        var last = await room.ReadBeforeAsync(before, PageMessages, PageBytes, cancellationToken);
        var (page, after, weight) = (last, last.Through, 0L);
        // The newest first.
        var found = new List<StoredMessage>();
        while (page.Messages.Count > 0 && found.Count < limit && last.Through - after < MaxLookedThrough)
        {
            foreach (var message in (await SeenAsync(page.Messages, cancellationToken)).Reverse())
            {
                if (found.Count == limit || (found.Count > 0 && weight + message.Weight > maxBytes))
                    return Found(found[^1].Offset - 1);
                weight += message.Weight;
                found.Add(message);
            }

            after = page.After;
            page = await room.ReadBeforeAsync(after + 1, PageMessages, PageBytes, cancellationToken);
            if (page.Epoch != last.Epoch)
                break;
        }

        return Found(after);

        ChannelPage Found(long start)
        {
            found.Reverse();
            return new ChannelPage(last.Epoch, last.Head, start, last.Through, StoredMessage.CountSkipped(start, found));
        }
    }

    /// <summary>
    /// Those of some messages that the reader gets, as he sees them. What he sees comes first: a filter that could look at more would tell of it.
    /// </summary>
    private async ValueTask<IEnumerable<StoredMessage>> SeenAsync(IReadOnlyList<StoredMessage> messages, CancellationToken cancellationToken)
    {
        if (sight is not null && messages.Count > 0)
            messages = Seen(messages, await sight.LookAsync([.. messages.Select(one => new SightedMessage(one.Message.Event, JsonElement.Parse(one.Data.Utf8.Span)))], cancellationToken));
        return address.Filter is { } filter ? messages.Where(message => filter.Matches(MessageRow.Of(message))) : messages;
    }

    private static List<StoredMessage> Seen(IReadOnlyList<StoredMessage> messages, IReadOnlyList<JsonElement?> data)
    {
        var seen = new List<StoredMessage>(messages.Count);
        for (var i = 0; i < messages.Count; i++)
        {
            if (data[i] is { } visible)
                seen.Add(messages[i].Showing(visible));
        }

        return seen;
    }
}
