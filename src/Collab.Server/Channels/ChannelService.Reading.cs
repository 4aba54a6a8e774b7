using System.Runtime.CompilerServices;
using System.Security.Claims;
using Collab.Protocol;
using Collab.Server.Channels.Views;
using Collab.Server.Rooms;
using Collab.Server.Security;
using Microsoft.AspNetCore.SignalR;

namespace Collab.Server.Channels;

// What readers ask for who are not sent it: the history, streams and polls.
internal sealed partial class ChannelService
{
    /// <summary>Reads a part of the history: what follows a position, what precedes one, or the newest.</summary>
    /// <exception cref="CollabException"><c>position_lost</c>: what follows the position cannot be read whole.</exception>
    public async Task<ChannelHistory> GetHistoryAsync(
        ClaimsPrincipal user, string channel, HistoryOptions? which, CancellationToken cancellationToken)
    {
        which ??= new HistoryOptions();
        var address = await CheckMayReadAsync(user, channel);
        var (after, before, limit) = (CheckPosition(which.After), CheckPosition(which.Before), CheckLimit(which.Limit));
        if (after is not null && before is not null)
            throw new CollabException(ErrorCodes.InvalidArgument, "give after or before, not both");
        return await VisitAsync(address.Channel, async room =>
        {
            var view = await ViewAsync(user, room, address, cancellationToken);
            ChannelPage page;
            if (after is { } from)
            {
                page = await room.ReachesAsync(from, cancellationToken)
                    ? await view.ReadAfterAsync(from.Offset, limit, MaxAnswerBytes, cancellationToken)
                    : default;
                if (page.Messages is null || page.After > from.Offset)
                    throw new CollabException(ErrorCodes.PositionLost, "the history does not reach back to this position");
            }
            else
            {
                if (before is { } to && !to.IsSameLogAs((await room.GetHeadAsync(cancellationToken)).Head))
                    throw new CollabException(ErrorCodes.PositionLost, "the position is of another log");
                page = await view.ReadBeforeAsync(before?.Offset ?? long.MaxValue, limit, MaxAnswerBytes, cancellationToken);
            }

            long? next = after is not null
                ? page.Through < page.Head ? page.Through : null
                : page.After > room.Retention.StartOf(page.Head) && page.After < page.Through ? page.After + 1 : null;
            return new ChannelHistory(
                MessagesOf(page),
                new Position(page.Epoch, page.Head).ToString(),
                next is { } offset ? new Position(page.Epoch, offset).ToString() : null);
        });
    }

    /// <summary>
    /// The messages of a channel as a stream that goes on until the caller ends it, read only as fast as he takes them.
    /// </summary>
    /// <exception cref="HubException"><c>position_lost</c>: what comes next cannot be read whole.</exception>
    public async IAsyncEnumerable<ChannelMessage> StreamAsync(
        Caller caller, string channel, SubscribeOptions? how, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var asked = authorizer.Version;
        using var reader = await CollabErrorFilter.GuardAsync(() => OpenAsync(caller.User, channel, how?.After, how?.Rewind, cancellationToken));
        while (true)
        {
            var batch = await CollabErrorFilter.GuardAsync(() => reader.NextAsync(cancellationToken));
            await CollabErrorFilter.GuardAsync(async () =>
            {
                var address = await CheckMayReadAsync(caller.User, channel);
                if (authorizer.Version is var now && now != asked)
                {
                    var view = await ViewAsync(caller.User, reader.View.Room, address, cancellationToken);
                    asked = view.Group == reader.View.Group ? now
                        : throw new CollabException(ErrorCodes.Unavailable, "what you see of this channel has changed; call again, after the last position");
                }

                return true;
            });
            foreach (var message in batch)
                yield return message.Message;
        }
    }

    /// <summary>Opens a channel for a reader who asks for one part after the other.</summary>
    /// <exception cref="CollabException"><c>position_lost</c>: what follows the position cannot be read whole.</exception>
    public async Task<ChannelReader> OpenAsync(
        ClaimsPrincipal user, string channel, string? after, int? rewind, CancellationToken cancellationToken)
    {
        var address = await CheckMayReadAsync(user, channel);
        var from = CheckStart(after, rewind);
        var room = rooms.Enter(address.Channel);
        try
        {
            var view = await ViewAsync(user, room, address, cancellationToken);
            var start = await view.StartAsync(from.After, from.Rewind, MaxMessages, MaxAnswerBytes, cancellationToken);
            if (!start.Recovered)
                throw new CollabException(ErrorCodes.PositionLost, "the history does not reach back to this position");
            return new ChannelReader(view, start.Page);
        }
        catch
        {
            room.Leave();
            throw;
        }
    }

    /// <summary>Reads what follows a position, waiting for it if there is nothing yet.</summary>
    /// <param name="user">Who asks.</param>
    /// <param name="channel">The channel.</param>
    /// <param name="after">The position; null for the newest messages.</param>
    /// <param name="limit">At most so many messages; null for 100.</param>
    /// <param name="waiting">Called when there is nothing, with the task that ends when there may be; returns false to wait no longer.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<ChannelPoll> PollAsync(
        ClaimsPrincipal user, string channel, string? after, int? limit, Func<Task, Task<bool>> waiting, CancellationToken cancellationToken)
    {
        var address = await CheckMayReadAsync(user, channel);
        var (position, most) = (CheckPosition(after), CheckLimit(limit));
        return await VisitAsync(address.Channel, async room =>
        {
            var recovered = true;
            while (true)
            {
                var view = await ViewAsync(user, room, address, cancellationToken);
                var start = position is null
                    ? new ChannelStart(await view.ReadBeforeAsync(long.MaxValue, most, MaxAnswerBytes, cancellationToken), true)
                    : await view.StartAsync(position, null, most, MaxAnswerBytes, cancellationToken);
                recovered &= start.Recovered;
                var page = start.Page;
                if (page.Messages.Count > 0 || !recovered || !await waiting(room.WaitAsync(page.Through)))
                    return new ChannelPoll(page, recovered, room.Retention.StartOf(page.Head), view.Tag);
                position = new Position(page.Epoch, page.Through);
                // Meanwhile it may have been revoked.
                await CheckMayAsync(user, address.Channel, Rights.Subscribe);
            }
        });
    }
}
