using System.Security.Claims;
using Collab.Protocol;
using Collab.Server.Channels.Views;
using Collab.Server.Events;
using Collab.Server.Fanout;
using Collab.Server.Rooms;
using Collab.Server.Security;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Options;

namespace Collab.Server.Channels;

/// <summary>
/// What callers may do with channels, over whatever wire. Checks names, rights, sizes and rates, and throws
/// <see cref="CollabException"/> with a stable code when one of them is not in order.
/// </summary>
internal sealed partial class ChannelService(
    ChannelRooms rooms,
    CollabLifetimeManager connections,
    RoomAuthorizer authorizer,
    PublishLimits limits,
    IEnumerable<IChannelAudience> audiences,
    ChannelOccupancy occupancy,
    IOptions<ChannelOptions> options)
{
    /// <summary>The most messages in one answer.</summary>
    public const int MaxMessages = 1000;

    /// <summary>About how many bytes of them.</summary>
    public const long MaxAnswerBytes = 1024 * 1024;

    private const int DefaultMessages = 100;

    /// <inheritdoc cref="RoomAuthorizer.Version"/>
    public int RightsVersion => authorizer.Version;

    /// <summary>Subscribes a connection. What is published after this has returned reaches it, after the answer.</summary>
    public async Task<SubscribeAnswer> SubscribeAsync(
        Caller caller, string channel, SubscribeOptions? how, CancellationToken cancellationToken)
    {
        how ??= new SubscribeOptions();
        var presence = CheckPresence(how.Presence);
        var asked = authorizer.Version;
        var address = await CheckMayReadAsync(caller.User, channel);
        if (presence is not null)
            await CheckMayAsync(caller.User, channel, Rights.Presence);
        var (after, rewind) = CheckStart(how.After, how.Rewind);

        var (view, membership) = await EnterAsync(caller, address, cancellationToken);
        var room = view.Room;
        try
        {
            var start = await view.StartAsync(after, rewind, MaxMessages, MaxAnswerBytes, cancellationToken);
            IReadOnlyList<ChannelMember> members = [];
            if (presence is not null)
            {
                await room.Peers.AskAsync();
                members = await room.Presence.JoinAsync(caller, presence);
            }
            else if (address.Filter is null)
                await room.Presence.LeaveAsync(caller.ConnectionId, caller.UserId, isLost: false);
            // Whoever ended meanwhile was taken out before he came in.
            if (!connections.IsIn(caller.ConnectionId, address.Key))
                await room.Presence.LeaveAsync(caller.ConnectionId, caller.UserId, isLost: true);
            if (authorizer.Version != asked)
            {
                await CheckMayAsync(caller.User, address.Channel, Rights.Subscribe);
                await ReviewAsync(caller, channel);
            }

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

    /// <summary>Makes a connection one of those who follow what its user gets of a channel.</summary>
    public async Task<(ChannelView View, Membership Membership)> EnterAsync(Caller caller, ChannelAddress address, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (view, leave) = await FollowAsync(caller.User, address, cancellationToken);
            try
            {
                var membership = await connections.JoinAsync(caller.ConnectionId, address.Key, view.Group, view, leave);
                if (!view.Room.IsRetired)
                    return (view, membership);
            }
            catch
            {
                leave();
                throw;
            }

            // It was given up meanwhile; those who were in it then were asked to come back.
            await connections.LeaveAsync(caller.ConnectionId, address.Key);
        }
    }

    /// <summary>Asks anew what a subscriber may do and see. Who may not subscribe any more is taken out and told.</summary>
    /// <param name="caller">The connection.</param>
    /// <param name="channel">What it has subscribed to.</param>
    public async Task ReviewAsync(Caller caller, string channel)
    {
        var address = ChannelAddress.Parse(channel);
        if (rooms.Find(address.Channel) is not { } room || connections.Find(caller.ConnectionId, address.Key) is not { } membership)
            return;
        if (!await authorizer.MayAsync(caller.User, room.Key, Rights.Subscribe) || !await TrySeeAsync(caller, address, membership))
        {
            await UnsubscribeAsync(caller, channel);
            await connections.SendConnectionAsync(caller.ConnectionId, HubContract.ChannelClosed, [channel, ChannelCloseReasons.Forbidden]);
        }
        else if (address.Filter is null && !await authorizer.MayAsync(caller.User, room.Key, Rights.Presence))
        {
            await room.Presence.LeaveAsync(caller.ConnectionId, caller.UserId, isLost: false);
        }
    }

    /// <summary>Ends a subscription. Nothing happens when there is none.</summary>
    public async Task UnsubscribeAsync(Caller caller, string channel)
    {
        var address = ChannelAddress.Parse(channel);
        if (rooms.Find(address.Channel) is not { } room)
            return;
        await connections.LeaveAsync(caller.ConnectionId, address.Key);
        if (address.Filter is null)
            await room.Presence.LeaveAsync(caller.ConnectionId, caller.UserId, isLost: false);
        ChannelLog.Left(rooms.Logger, caller.ConnectionId, address.Channel);
    }

    /// <summary>A connection has ended: its user is present no more, unless he comes back.</summary>
    /// <param name="caller">The connection.</param>
    /// <param name="joined">The rooms that it was in.</param>
    public async Task LeaveAllAsync(Caller caller, IReadOnlyCollection<RoomKey> joined)
    {
        foreach (var key in joined)
        {
            // Of a subscription with a filter there is no room of that name, and nobody is present by it.
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

    /// <summary>Whether somebody may read what he names.</summary>
    /// <exception cref="CollabException"><c>invalid_name</c>, <c>invalid_argument</c> or <c>forbidden</c>.</exception>
    public async ValueTask<ChannelAddress> CheckMayReadAsync(ClaimsPrincipal user, string channel)
    {
        var address = ChannelAddress.Parse(channel);
        await CheckMayAsync(user, address.Channel, Rights.Subscribe);
        return address;
    }

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

    /// <summary>What a user gets of an open channel.</summary>
    private async ValueTask<ChannelView> ViewAsync(ClaimsPrincipal user, ChannelRoom room, ChannelAddress address, CancellationToken cancellationToken)
    {
        ChannelSight? sight = null;
        foreach (var audience in audiences)
            sight ??= await audience.SightOfAsync(address.Channel, user, cancellationToken);
        return address.Filter is null && sight is null ? room.Whole : new ChannelView(room, address, sight);
    }

    /// <summary>Opens a channel for one who follows it.</summary>
    /// <returns>What he gets, and what to call when he follows it no more.</returns>
    private async ValueTask<(ChannelView View, Action Leave)> FollowAsync(ClaimsPrincipal user, ChannelAddress address, CancellationToken cancellationToken)
    {
        var room = rooms.Enter(address.Channel);
        try
        {
            var view = await ViewAsync(user, room, address, cancellationToken);
            var leave = await room.Views.EnterAsync(view, cancellationToken);
            return (view, leave + room.Leave + occupancy.Enter(address.Channel));
        }
        catch
        {
            room.Leave();
            throw;
        }
    }

    /// <summary>Lets a subscriber, whose claims may be others now, see what he sees by these.</summary>
    /// <returns>False when that is nothing.</returns>
    private async ValueTask<bool> TrySeeAsync(Caller caller, ChannelAddress address, Membership membership)
    {
        try
        {
            var (view, leave) = await FollowAsync(caller.User, address, CancellationToken.None);
            if (view.Group == membership.Group || !await connections.MoveAsync(caller.ConnectionId, membership, view.Group, view, leave))
                leave();
            return true;
        }
        catch (CollabException)
        {
            return false;
        }
        catch (RoomLogUnavailableException)
        {
            // He comes back, and waits until it can be told.
            _ = connections.EndAsync(caller.ConnectionId, new CloseMessage(error: null, allowReconnect: true));
            return true;
        }
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
