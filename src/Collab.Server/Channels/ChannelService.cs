using System.Runtime.CompilerServices;
using System.Security.Claims;
using Collab.Protocol;
using Collab.Server.Fanout;
using Collab.Server.Rooms;
using Collab.Server.Security;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Options;

namespace Collab.Server.Channels;

/// <summary>
/// What callers may do with channels, over whatever wire. Checks names, rights, sizes and rates, and throws
/// <see cref="CollabException"/> with a stable code when one of them is not in order.
/// </summary>
internal sealed class ChannelService(
    ChannelRooms rooms,
    CollabLifetimeManager connections,
    RoomAuthorizer authorizer,
    PublishLimits limits,
    IOptions<ChannelOptions> options)
{
    /// <summary>The most messages in one answer.</summary>
    public const int MaxMessages = 1000;

    private const int DefaultMessages = 100;
    private const long MaxAnswerBytes = 1024 * 1024;

    /// <inheritdoc cref="RoomAuthorizer.Version"/>
    public int RightsVersion => authorizer.Version;

    /// <summary>Subscribes a connection. What is published after this has returned reaches it, after the answer.</summary>
    public async Task<SubscribeAnswer> SubscribeAsync(
        Caller caller, string channel, SubscribeOptions? how, CancellationToken cancellationToken)
    {
        how ??= new SubscribeOptions();
        var presence = CheckPresence(how.Presence);
        var asked = authorizer.Version;
        await CheckMayAsync(caller.User, channel, Rights.Subscribe);
        if (presence is not null)
            await CheckMayAsync(caller.User, channel, Rights.Presence);
        var (after, rewind) = CheckStart(how.After, how.Rewind);

        var (room, membership) = await EnterAsync(caller.ConnectionId, channel);
        try
        {
            var start = await StartAsync(room, after, rewind, cancellationToken);
            IReadOnlyList<ChannelMember> members = [];
            if (presence is not null)
            {
                await room.Peers.AskAsync();
                members = await room.Presence.JoinAsync(caller, presence);
            }
            else
                await room.Presence.LeaveAsync(caller.ConnectionId, caller.UserId, isLost: false);
            // Whoever ended meanwhile was taken out before he came in.
            if (!connections.IsIn(caller.ConnectionId, room.Key))
                await room.Presence.LeaveAsync(caller.ConnectionId, caller.UserId, isLost: true);
            if (authorizer.Version != asked)
                await CheckMayAsync(caller.User, channel, Rights.Subscribe);
            ChannelLog.Subscribed(rooms.Logger, caller.ConnectionId, channel, start.Page.Through);
            var answer = new SubscribedChannel(
                new Position(start.Page.Epoch, start.Page.Through).ToString(), start.Recovered, MessagesOf(start.Page), members);
            return new SubscribeAnswer(
                answer, () => connections.Follow(caller.ConnectionId, membership, start.Page.Through, start.Page.Head));
        }
        catch
        {
            await UnsubscribeAsync(caller, channel);
            throw;
        }
    }

    /// <summary>Puts a connection into a channel's room.</summary>
    public async Task<(ChannelRoom Room, Membership Membership)> EnterAsync(string connectionId, string channel)
    {
        while (true)
        {
            var room = rooms.Enter(channel);
            try
            {
                var membership = await connections.JoinAsync(connectionId, room.Key, room.Group, room, room.Leave);
                if (!room.IsRetired)
                    return (room, membership);
            }
            catch
            {
                room.Leave();
                throw;
            }

            // It was given up meanwhile; those who were in it then were asked to come back.
            await connections.LeaveAsync(connectionId, room.Key, room.Group);
        }
    }

    /// <summary>Asks anew what a subscriber may do. Who may not subscribe any more is taken out and told.</summary>
    public async Task ReviewAsync(Caller caller, string channel)
    {
        if (rooms.Find(channel) is not { } room || !connections.IsIn(caller.ConnectionId, room.Key))
            return;
        if (!await authorizer.MayAsync(caller.User, room.Key, Rights.Subscribe))
        {
            await UnsubscribeAsync(caller, channel);
            await connections.SendConnectionAsync(caller.ConnectionId, HubContract.ChannelClosed, [channel, ChannelCloseReasons.Forbidden]);
        }
        else if (!await authorizer.MayAsync(caller.User, room.Key, Rights.Presence))
        {
            await room.Presence.LeaveAsync(caller.ConnectionId, caller.UserId, isLost: false);
        }
    }

    /// <summary>Ends a subscription. Nothing happens when there is none.</summary>
    public async Task UnsubscribeAsync(Caller caller, string channel)
    {
        CheckName(channel);
        if (rooms.Find(channel) is not { } room)
            return;
        await connections.LeaveAsync(caller.ConnectionId, room.Key, room.Group);
        await room.Presence.LeaveAsync(caller.ConnectionId, caller.UserId, isLost: false);
        ChannelLog.Left(rooms.Logger, caller.ConnectionId, channel);
    }

    /// <summary>A connection has ended: its user is present no more, unless he comes back.</summary>
    /// <param name="caller">The connection.</param>
    /// <param name="joined">The rooms that it was in.</param>
    public async Task LeaveAllAsync(Caller caller, IReadOnlyCollection<RoomKey> joined)
    {
        foreach (var key in joined)
        {
            if (key.Kind is RoomKind.Channel && rooms.Find(key.Name) is { } room)
                await room.Presence.LeaveAsync(caller.ConnectionId, caller.UserId, isLost: true);
        }
    }

    /// <summary>Publishes one message. It is durable when this returns.</summary>
    /// <returns>Its position, or that of the first message with the same key.</returns>
    public async Task<Position> PublishAsync(Caller caller, string channel, string? eventName, JsonData? data, string? key) =>
        (await PublishAsync(caller, channel, [new NewMessage(eventName, data, key)]))[0];

    /// <summary>Publishes messages, all or none, in order. They are durable when this returns.</summary>
    /// <returns>The position of each.</returns>
    public async Task<Position[]> PublishAsync(Caller caller, string channel, IReadOnlyList<NewMessage> messages)
    {
        await CheckMayAsync(caller.User, channel, Rights.Publish);
        if (options.Value.IsPublishedByServer(channel))
            throw new CollabException(ErrorCodes.Forbidden, "only the server publishes in this channel");
        var space = options.Value.Of(channel);
        var entries = new NewLogEntry[messages.Count];
        for (var i = 0; i < entries.Length; i++)
            entries[i] = messages[i].ToEntry(space, caller.UserId);
        limits.Count(caller, space, entries.Length);

        var room = rooms.Enter(channel);
        try
        {
            return await room.PublishAsync(entries);
        }
        finally
        {
            room.Leave();
        }
    }

    /// <summary>Reads a part of the history: what follows a position, what precedes one, or the newest.</summary>
    /// <exception cref="CollabException"><c>position_lost</c>: what follows the position cannot be read whole.</exception>
    public async Task<ChannelHistory> GetHistoryAsync(
        ClaimsPrincipal user, string channel, HistoryOptions? which, CancellationToken cancellationToken)
    {
        which ??= new HistoryOptions();
        await CheckMayAsync(user, channel, Rights.Subscribe);
        var (after, before, limit) = (CheckPosition(which.After), CheckPosition(which.Before), CheckLimit(which.Limit));
        if (after is not null && before is not null)
            throw new CollabException(ErrorCodes.InvalidArgument, "give after or before, not both");
        return await VisitAsync(channel, async room =>
        {
            ChannelPage page;
            if (after is { } from)
            {
                page = await room.ReachesAsync(from, cancellationToken)
                    ? await room.ReadAfterAsync(from.Offset, limit, MaxAnswerBytes, cancellationToken)
                    : default;
                if (page.Messages is null || page.After > from.Offset)
                    throw new CollabException(ErrorCodes.PositionLost, "the history does not reach back to this position");
            }
            else
            {
                if (before is { } to && !to.IsSameLogAs((await room.GetHeadAsync(cancellationToken)).Head))
                    throw new CollabException(ErrorCodes.PositionLost, "the position is of another log");
                page = await room.ReadBeforeAsync(before?.Offset ?? long.MaxValue, limit, MaxAnswerBytes, cancellationToken);
            }

            return new ChannelHistory(MessagesOf(page), new Position(page.Epoch, page.Head).ToString());
        });
    }

    /// <summary>Who is present.</summary>
    public async Task<ChannelMember[]> GetMembersAsync(ClaimsPrincipal user, string channel)
    {
        await CheckMayAsync(user, channel, Rights.Presence);
        return await VisitAsync(channel, async room =>
        {
            await room.Peers.AskAsync();
            return room.Presence.Members();
        });
    }

    /// <summary>
    /// The messages of a channel as a stream that goes on until the caller ends it, read only as fast as he takes them.
    /// </summary>
    /// <exception cref="HubException"><c>position_lost</c>: what comes next cannot be read whole.</exception>
    public async IAsyncEnumerable<ChannelMessage> StreamAsync(
        Caller caller, string channel, SubscribeOptions? how, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stream = await CollabErrorFilter.GuardAsync(() => OpenAsync(caller.User, channel, how?.After, how?.Rewind, cancellationToken));
        while (true)
        {
            var batch = await CollabErrorFilter.GuardAsync(() => stream.NextAsync(cancellationToken));
            await CollabErrorFilter.GuardAsync(async () =>
            {
                await CheckMayAsync(caller.User, channel, Rights.Subscribe);
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
        await CheckMayAsync(user, channel, Rights.Subscribe);
        var from = CheckStart(after, rewind);
        var room = rooms.Enter(channel);
        try
        {
            var start = await StartAsync(room, from.After, from.Rewind, cancellationToken);
            if (!start.Recovered)
                throw new CollabException(ErrorCodes.PositionLost, "the history does not reach back to this position");
            return new ChannelReader(room, start.Page);
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
        await CheckMayAsync(user, channel, Rights.Subscribe);
        var (position, most) = (CheckPosition(after), CheckLimit(limit));
        return await VisitAsync(channel, async room =>
        {
            while (true)
            {
                var start = position is null
                    ? new ChannelStart(await room.ReadBeforeAsync(long.MaxValue, most, MaxAnswerBytes, cancellationToken), true)
                    : await StartAsync(room, position, null, cancellationToken, most);
                if (start.Page.Messages.Count > 0 || !start.Recovered)
                    return new ChannelPoll(start.Page, start.Recovered, room.Retention.StartOf(start.Page.Head));
                if (!await waiting(room.WaitAsync(start.Page.Head)))
                    return new ChannelPoll(start.Page, start.Recovered, room.Retention.StartOf(start.Page.Head));
                // Meanwhile it may have been revoked.
                await CheckMayAsync(user, channel, Rights.Subscribe);
            }
        });
    }

    /// <summary>Where a reader begins, and what he gets at once.</summary>
    public static async ValueTask<ChannelStart> StartAsync(
        ChannelRoom room, Position? after, int? rewind, CancellationToken cancellationToken, int limit = MaxMessages)
    {
        if (after is { } from)
        {
            var isHere = await room.ReachesAsync(from, cancellationToken);
            if (isHere)
            {
                var page = await room.ReadAfterAsync(from.Offset, limit, MaxAnswerBytes, cancellationToken);
                if (page.After == from.Offset)
                    return new ChannelStart(page, true);
            }

            // What is still there follows, unless the caller has said what he wants then.
            return new ChannelStart(
                rewind is { } last
                    ? await room.ReadBeforeAsync(long.MaxValue, last, MaxAnswerBytes, cancellationToken)
                    : await room.ReadAfterAsync(isHere ? from.Offset : 0, limit, MaxAnswerBytes, cancellationToken),
                false);
        }

        var (head, _) = await room.GetHeadAsync(cancellationToken);
        return new ChannelStart(
            rewind is > 0
                ? await room.ReadBeforeAsync(long.MaxValue, rewind.Value, MaxAnswerBytes, cancellationToken)
                : new ChannelPage(head.Epoch, head.Offset, head.Offset, []),
            true);
    }

    /// <exception cref="CollabException"><c>invalid_name</c> or <c>forbidden</c>.</exception>
    public async ValueTask CheckMayAsync(ClaimsPrincipal user, string channel, string right)
    {
        CheckName(channel);
        if (!await authorizer.MayAsync(user, new RoomKey(RoomKind.Channel, channel), right))
            throw new CollabException(ErrorCodes.Forbidden, $"you have no grant to {right} in this channel");
    }

    /// <exception cref="CollabException">They are not to be understood.</exception>
    public static (Position? After, int? Rewind) CheckStart(string? after, int? rewind) =>
        rewind is < 0 or > MaxMessages
            ? throw new CollabException(ErrorCodes.InvalidArgument, $"rewind is 0 to {MaxMessages}")
            : (CheckPosition(after), rewind);

    private static void CheckName(string channel)
    {
        if (!RoomName.IsValid(channel))
            throw new CollabException(ErrorCodes.InvalidName, "a channel name is 1 to 200 characters of A-Z a-z 0-9 . _ ~ : @ - / with no empty segment");
    }

    private static Position? CheckPosition(string? text) =>
        string.IsNullOrEmpty(text) ? null
        : Position.TryParse(text, out var position) ? position
        : throw new CollabException(ErrorCodes.InvalidPosition, "this is no position; give one that the server gave, or none");

    private static int CheckLimit(int? limit) =>
        limit is < 1 or > MaxMessages
            ? throw new CollabException(ErrorCodes.InvalidArgument, $"limit is 1 to {MaxMessages}")
            : limit ?? DefaultMessages;

    private JsonData? CheckPresence(object? presence)
    {
        var data = JsonData.From(presence);
        if (data.Fault is { } fault)
            throw new CollabException(ErrorCodes.InvalidArgument, $"presence: {fault}");
        if (data.IsNullOrFalse)
            return null;
        return data.Utf8.Length <= options.Value.MaxPresenceBytes
            ? data
            : throw new CollabException(ErrorCodes.TooLarge, $"what a member shows is at most {options.Value.MaxPresenceBytes} bytes of JSON");
    }

    private static ChannelMessage[] MessagesOf(ChannelPage page)
    {
        var messages = new ChannelMessage[page.Messages.Count];
        for (var i = 0; i < messages.Length; i++)
            messages[i] = page.Messages[i].Message;
        return messages;
    }

    private async Task<T> VisitAsync<T>(string channel, Func<ChannelRoom, Task<T>> visit)
    {
        var room = rooms.Enter(channel);
        try
        {
            return await visit(room);
        }
        finally
        {
            room.Leave();
        }
    }
}
