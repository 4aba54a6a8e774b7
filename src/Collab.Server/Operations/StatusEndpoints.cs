using System.Diagnostics;
using System.Reflection;
using System.Security.Claims;
using Collab.Protocol;
using Collab.Server.Channels;
using Collab.Server.Documents;
using Collab.Server.Fanout;
using Collab.Server.Nodes;
using Collab.Server.Rooms;
using Collab.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Collab.Server.Operations;

/// <summary>What a node is doing, for whoever runs it.</summary>
internal static class StatusEndpoints
{
    private const int MaxRooms = 100;
    private const int MaxReaders = 50;

    private static readonly string Version = typeof(StatusEndpoints).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;

    /// <summary>Maps <c>GET /admin/status</c>.</summary>
    public static void MapStatus(this IEndpointRouteBuilder endpoints) => endpoints
        .MapGet("/admin/status", ReadAsync)
        .RequireAuthorization()
        .AddEndpointFilter<CollabProblemFilter>()
        .WithTags("Administration")
        .WithSummary("What this node is doing, and what the others say of themselves")
        .WithDescription($"Sums count from the start; rates are their differences. `rooms` are the {MaxRooms} open ones with most members, `slowReaders` the {MaxReaders} "
            + "connections with most to take. Needs the grant `{ \"admin\": true }`.")
        .Produces<ServerStatus>()
        .RefusesAsUsual();

    private static async Task<IResult> ReadAsync(
        ClaimsPrincipal user,
        RoomAuthorizer authorizer,
        NodeLoadReader load,
        NodeDirectory nodes,
        NodeBus bus,
        CollabLifetimeManager connections,
        DocumentRooms documents,
        ChannelRooms channels,
        IRoomLog log,
        TimeProvider clock,
        CancellationToken cancellationToken)
    {
        if (!await authorizer.MayAdministerAsync(user))
            throw new CollabException(ErrorCodes.Forbidden, "you may not administer this server");
        var totals = connections.Count();
        using var process = Process.GetCurrentProcess();
        return TypedResults.Ok(new ServerStatus(
            nodes.Id,
            Version,
            new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds(),
            clock.GetUtcNow().ToUnixTimeMilliseconds(),
            process.WorkingSet64,
            load.Read(totals),
            totals.Connections,
            totals.WaitingBytes,
            await StoreAsync(log, cancellationToken),
            new BackplaneStatus(bus.IsShared, bus.IsConnected),
            nodes.Others(),
            Rooms(documents, channels),
            [.. connections.Slowest(MaxReaders).Select(one => new ReaderStatus(
                one.Connection.ConnectionId, one.Connection.UserIdentifier, one.Connection.Transport, one.State.WaitingBytes, one.State.Behind))]));
    }

    private static async Task<StoreStatus> StoreAsync(IRoomLog log, CancellationToken cancellationToken)
    {
        try
        {
            return new StoreStatus(true, null, await log.MeasureAsync(cancellationToken));
        }
        catch (RoomLogUnavailableException exception)
        {
            return new StoreStatus(false, exception.Message, 0);
        }
    }

    private static RoomStatus[] Rooms(DocumentRooms documents, ChannelRooms channels) =>
    [
        .. documents.Open().Select(room => new RoomStatus("document", room.Id, room.Members, room.HeadOffset, room.Compaction.DocumentBytes))
            .Concat(channels.Open().Select(room => new RoomStatus("channel", room.Name, room.Occupants, room.HeadOffset, room.ResidentBytes)))
            .OrderByDescending(room => room.Members).ThenBy(room => room.Name, StringComparer.Ordinal)
            .Take(MaxRooms),
    ];

    /// <param name="Node">This node's id; another one after each start.</param>
    /// <param name="Version">The version of Collab.</param>
    /// <param name="StartedAt">When it was started, in milliseconds since 1970.</param>
    /// <param name="At">When this was so, in milliseconds since 1970.</param>
    /// <param name="MemoryBytes">What the process has in memory.</param>
    /// <param name="Load">What it has to do.</param>
    /// <param name="Transports">Its connections by transport.</param>
    /// <param name="WaitingBytes">What waits in the outboxes of all connections.</param>
    /// <param name="Store">Its store.</param>
    /// <param name="Backplane">What connects it to other nodes.</param>
    /// <param name="Nodes">The other nodes.</param>
    /// <param name="Rooms">Open documents and channels.</param>
    /// <param name="SlowReaders">Connections that are behind.</param>
    internal sealed record ServerStatus(
        string Node,
        string Version,
        long StartedAt,
        long At,
        long MemoryBytes,
        NodeLoad Load,
        IReadOnlyDictionary<string, long> Transports,
        long WaitingBytes,
        StoreStatus Store,
        BackplaneStatus Backplane,
        IReadOnlyList<NodeStatus> Nodes,
        IReadOnlyList<RoomStatus> Rooms,
        IReadOnlyList<ReaderStatus> SlowReaders);

    /// <param name="IsAvailable">Whether it can be read now.</param>
    /// <param name="Reason">Why not.</param>
    /// <param name="Bytes">What the logs of all rooms take.</param>
    internal sealed record StoreStatus(bool IsAvailable, string? Reason, long Bytes);

    /// <param name="IsShared">Whether there is one.</param>
    /// <param name="IsConnected">Whether it carries messages now.</param>
    internal sealed record BackplaneStatus(bool IsShared, bool IsConnected);

    /// <param name="Kind"><c>document</c> or <c>channel</c>.</param>
    /// <param name="Name">Its name.</param>
    /// <param name="Members">Members of a document; subscribers, readers and publishers of a channel.</param>
    /// <param name="Offset">Of its last update or message.</param>
    /// <param name="Bytes">The size of a document; what a channel holds in memory.</param>
    internal sealed record RoomStatus(string Kind, string Name, int Members, long Offset, long Bytes);

    /// <param name="Connection">The connection.</param>
    /// <param name="User">Whose it is.</param>
    /// <param name="Transport">How it is connected.</param>
    /// <param name="WaitingBytes">What waits in its outbox.</param>
    /// <param name="Behind">In how many rooms it is served from the log.</param>
    internal sealed record ReaderStatus(string Connection, string? User, string Transport, long WaitingBytes, int Behind);
}
