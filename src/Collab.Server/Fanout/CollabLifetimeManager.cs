using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Collab.Server.Limits;
using Collab.Server.Rooms;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Collab.Server.Fanout;

/// <summary>
/// The hub's lifetime manager: another one (in-process, or over a backplane) with an outbox before every connection. Undecorated, a
/// group send waits for the slowest member of the group; here it waits for nobody.
/// </summary>
internal sealed class CollabLifetimeManager(
    HubLifetimeManager<CollabHub> inner,
    IOptions<FanoutOptions> options,
    IOptions<LimitOptions> limits,
    FanoutMetrics metrics,
    TimeProvider clock,
    ILoggerFactory loggerFactory)
    : HubLifetimeManager<CollabHub>, IHostedService, IDisposable
{
    private static readonly TimeSpan ProgressCheckInterval = TimeSpan.FromMilliseconds(500);
    // When a server stops: connections that are closed at once, and over how many moments more are spread.
    private const int ClosedAtOnce = 100;
    private const int CloseSlices = 20;

    private static readonly TimeSpan CloseInterval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ReplacePatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, OutboxConnection> _connections = new(StringComparer.Ordinal);
    private readonly ILogger _logger = loggerFactory.CreateLogger(FanoutLog.Category);
    private readonly Lock _counting = new();
    private long _deliveriesOfEnded;
    // What everybody is told once the server stops.
    private volatile SerializedHubMessage? _closing;
    private ITimer? _progressCheck;

    /// <summary>
    /// Puts a connection into a room's group. Call <see cref="Follow"/> once the member has what the log held until then.
    /// </summary>
    /// <param name="connectionId">The connection.</param>
    /// <param name="room">The room.</param>
    /// <param name="group">The room's group.</param>
    /// <param name="source">What the member is served from when he has fallen behind.</param>
    /// <param name="ended">Called once, when this membership is over.</param>
    /// <exception cref="CollabException">
    /// <c>not_joined</c>: the connection has ended. <c>too_many</c>: it is in too many rooms already.
    /// </exception>
    public async ValueTask<Membership> JoinAsync(
        string connectionId, RoomKey room, string group, IRoomSource source, Action? ended = null)
    {
        if (!_connections.TryGetValue(connectionId, out var connection))
            throw Outbox.HasEnded();
        var (membership, former) = connection.Outbox.Join(room, group, source, ended, limits.Value.RoomsPerConnection);
        await inner.AddToGroupAsync(connectionId, group);
        if (former is not null && former.Group != group)
            await inner.RemoveFromGroupAsync(connectionId, former.Group);
        return membership;
    }

    /// <summary>Gives a member another source and group for his room; he goes on where he is.</summary>
    /// <returns>False when he is not in it any more.</returns>
    public async ValueTask<bool> MoveAsync(string connectionId, Membership membership, string group, IRoomSource source, Action? ended)
    {
        var former = membership.Group;
        if (!_connections.TryGetValue(connectionId, out var connection) || !connection.Outbox.Move(membership, group, source, ended))
            return false;
        await inner.AddToGroupAsync(connectionId, group);
        await inner.RemoveFromGroupAsync(connectionId, former);
        return true;
    }

    /// <inheritdoc cref="Outbox.Follow"/>
    public void Follow(string connectionId, Membership membership, long cursor, long head = 0)
    {
        if (_connections.TryGetValue(connectionId, out var connection))
            connection.Outbox.Follow(membership, cursor, head);
    }

    /// <summary>Whether a connection is in a room.</summary>
    public bool IsIn(string connectionId, RoomKey room) =>
        _connections.TryGetValue(connectionId, out var connection) && connection.Outbox.IsIn(room);

    /// <summary>A connection's membership in a room, if it is there.</summary>
    public Membership? Find(string connectionId, RoomKey room) =>
        _connections.TryGetValue(connectionId, out var connection) ? connection.Outbox.Find(room) : null;

    /// <summary>The rooms that a connection is in.</summary>
    public IReadOnlyCollection<RoomKey> RoomsOf(string connectionId) =>
        _connections.TryGetValue(connectionId, out var connection) ? connection.Outbox.Rooms() : [];

    /// <summary>Takes a connection out of a room. Returns false when it was not in it.</summary>
    public async ValueTask<bool> LeaveAsync(string connectionId, RoomKey room)
    {
        if (!_connections.TryGetValue(connectionId, out var connection) || connection.Outbox.Leave(room) is not { } membership)
            return false;
        await inner.RemoveFromGroupAsync(connectionId, membership.Group);
        return true;
    }

    /// <summary>The connection is about to end: it gets nothing more and joins nothing more.</summary>
    /// <returns>The rooms that it was in.</returns>
    public IReadOnlyCollection<RoomKey> Close(string connectionId) =>
        _connections.TryGetValue(connectionId, out var connection) ? connection.Outbox.Close() : [];

    /// <summary>Tells a client that another connection has taken its place, and ends its connection for good.</summary>
    public async Task ReplaceAsync(string connectionId)
    {
        if (!_connections.TryGetValue(connectionId, out var connection))
            return;
        connection.Outbox.StopSending();
        // Who does not read will not get it.
        _ = connection.WriteLastAsync(new CloseMessage("replaced: another connection of this session was opened", allowReconnect: false)).AsTask();
        // One that ends by itself is left to it: aborted, it could lose its last words on their way, and would come back.
        if (await Task.WhenAny(connection.Ended, Task.Delay(ReplacePatience, clock)) != connection.Ended)
            connection.Abort();
    }

    /// <summary>Tells a client to close its connection, and ends it when he does not.</summary>
    public async Task EndAsync(string connectionId, CloseMessage close)
    {
        if (!_connections.TryGetValue(connectionId, out var connection))
            return;
        connection.Outbox.Send(new SerializedHubMessage(close));
        if (await Task.WhenAny(connection.Ended, Task.Delay(EndPatience, clock)) != connection.Ended)
            connection.Abort();
    }

    /// <summary>
    /// Asks every client to close its connection and to come back, and waits until those have closed it. Many are asked in turn, in no order,
    /// over a second: those who serve them next are not stormed.
    /// </summary>
    public async Task CloseAllAsync()
    {
        await CloseAsync([.. _connections.Values], _closing = new SerializedHubMessage(ComeBack()));
        // Those who were connecting meanwhile, too.
        while (!_connections.IsEmpty)
            await Task.WhenAll(_connections.Values.Select(connection => connection.Ended).Append(Task.Delay(CloseInterval, clock)));
    }

    /// <summary>
    /// Asks those who are in a room to close their connections and to come back, as what they know of the room's positions no longer holds; ends the
    /// connection of who does not.
    /// </summary>
    public async Task ReconnectAsync(IReadOnlyCollection<RoomKey> rooms)
    {
        OutboxConnection[] members = [.. _connections.Values.Where(connection => rooms.Any(connection.Outbox.IsIn))];
        await CloseAsync(members, new SerializedHubMessage(ComeBack()));
        await Task.WhenAny(Task.WhenAll(members.Select(member => member.Ended)), Task.Delay(EndPatience, clock));
        foreach (var member in members.Where(member => !member.Ended.IsCompleted))
            member.Abort();
    }

    /// <summary>What there is on this node at this moment.</summary>
    public FanoutTotals Count()
    {
        var transports = new Dictionary<string, long>(StringComparer.Ordinal);
        lock (_counting)
        {
            var (deliveries, waiting, behind) = (_deliveriesOfEnded, 0L, 0L);
            foreach (var (_, connection) in _connections)
            {
                transports[connection.Transport] = transports.GetValueOrDefault(connection.Transport) + 1;
                var state = connection.Outbox.State;
                deliveries += state.Deliveries;
                waiting += state.WaitingBytes;
                behind += state.Behind > 0 ? 1 : 0;
            }

            return new FanoutTotals(transports, deliveries, waiting, behind);
        }
    }

    /// <summary>Those connections that have most to take, at most so many, the slowest first.</summary>
    public IReadOnlyList<(OutboxConnection Connection, OutboxState State)> Slowest(int most) =>
    [
        .. _connections.Select(one => (Connection: one.Value, one.Value.Outbox.State))
            .Where(one => one.State is { Behind: > 0 } or { WaitingBytes: > 0 })
            .OrderByDescending(one => one.State.Behind).ThenByDescending(one => one.State.WaitingBytes)
            .Take(most),
    ];

    public override Task OnConnectedAsync(HubConnectionContext connection) => AddAsync(new HubRecipient(connection));

    public override Task OnDisconnectedAsync(HubConnectionContext connection) => RemoveAsync(connection.ConnectionId);

    /// <summary>Somebody is connected: from here on he can be written to.</summary>
    public async Task AddAsync(IRecipient recipient)
    {
        var connection = new OutboxConnection(recipient, new Outbox(recipient, options.Value, metrics, _logger), loggerFactory);
        _connections[recipient.ConnectionId] = connection;
        await inner.OnConnectedAsync(connection);
        if (_closing is { } close)
            connection.Outbox.Send(close);
    }

    /// <summary>Somebody is connected no more.</summary>
    public Task RemoveAsync(string connectionId)
    {
        OutboxConnection? connection;
        // Counted once at any moment: the sum must never fall.
        lock (_counting)
        {
            if (!_connections.TryRemove(connectionId, out connection))
                return Task.CompletedTask;
            _deliveriesOfEnded += connection.Outbox.State.Deliveries;
        }

        connection.End();
        return inner.OnDisconnectedAsync(connection);
    }

    public override Task AddToGroupAsync(string connectionId, string groupName, CancellationToken cancellationToken = default) =>
        inner.AddToGroupAsync(connectionId, groupName, cancellationToken);

    public override Task RemoveFromGroupAsync(string connectionId, string groupName, CancellationToken cancellationToken = default) =>
        inner.RemoveFromGroupAsync(connectionId, groupName, cancellationToken);

    public override Task SendAllAsync(string methodName, object?[] args, CancellationToken cancellationToken = default) =>
        inner.SendAllAsync(methodName, args, cancellationToken);

    public override Task SendAllExceptAsync(
        string methodName, object?[] args, IReadOnlyList<string> excludedConnectionIds, CancellationToken cancellationToken = default) =>
        inner.SendAllExceptAsync(methodName, args, excludedConnectionIds, cancellationToken);

    public override Task SendConnectionAsync(
        string connectionId, string methodName, object?[] args, CancellationToken cancellationToken = default) =>
        inner.SendConnectionAsync(connectionId, methodName, args, cancellationToken);

    public override Task SendConnectionsAsync(
        IReadOnlyList<string> connectionIds, string methodName, object?[] args, CancellationToken cancellationToken = default) =>
        inner.SendConnectionsAsync(connectionIds, methodName, args, cancellationToken);

    public override Task SendGroupAsync(
        string groupName, string methodName, object?[] args, CancellationToken cancellationToken = default) =>
        inner.SendGroupAsync(groupName, methodName, args, cancellationToken);

    public override Task SendGroupsAsync(
        IReadOnlyList<string> groupNames, string methodName, object?[] args, CancellationToken cancellationToken = default) =>
        inner.SendGroupsAsync(groupNames, methodName, args, cancellationToken);

    public override Task SendGroupExceptAsync(
        string groupName,
        string methodName,
        object?[] args,
        IReadOnlyList<string> excludedConnectionIds,
        CancellationToken cancellationToken = default) =>
        inner.SendGroupExceptAsync(groupName, methodName, args, excludedConnectionIds, cancellationToken);

    public override Task SendUserAsync(
        string userId, string methodName, object?[] args, CancellationToken cancellationToken = default) =>
        inner.SendUserAsync(userId, methodName, args, cancellationToken);

    public override Task SendUsersAsync(
        IReadOnlyList<string> userIds, string methodName, object?[] args, CancellationToken cancellationToken = default) =>
        inner.SendUsersAsync(userIds, methodName, args, cancellationToken);

    public override Task<T> InvokeConnectionAsync<T>(
        string connectionId, string methodName, object?[] args, CancellationToken cancellationToken) =>
        inner.InvokeConnectionAsync<T>(connectionId, methodName, args, cancellationToken);

    public override Task SetConnectionResultAsync(string connectionId, CompletionMessage result) =>
        inner.SetConnectionResultAsync(connectionId, result);

    public override bool TryGetReturnType(string invocationId, [NotNullWhen(true)] out Type? type) =>
        inner.TryGetReturnType(invocationId, out type);

    Task IHostedService.StartAsync(CancellationToken cancellationToken)
    {
        metrics.Observe(Count);
        _progressCheck = clock.CreateTimer(_ => CheckProgress(), null, ProgressCheckInterval, ProgressCheckInterval);
        return Task.CompletedTask;
    }

    Task IHostedService.StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _progressCheck?.Dispose();
        _progressCheck = null;
    }

    private static CloseMessage ComeBack() => new(error: null, allowReconnect: true);

    private async Task CloseAsync(OutboxConnection[] connections, SerializedHubMessage close)
    {
        Random.Shared.Shuffle(connections);
        var slice = Math.Max(ClosedAtOnce, connections.Length / (CloseSlices - 1));
        for (var closed = 0; closed < connections.Length; closed += slice)
        {
            if (closed > 0)
                await Task.Delay(CloseInterval, clock);
            foreach (var connection in connections.AsSpan(closed, Math.Min(slice, connections.Length - closed)))
                connection.Outbox.Send(close);
        }
    }

    private void CheckProgress()
    {
        var now = Environment.TickCount64;
        foreach (var connection in _connections.Values)
            connection.Outbox.CheckProgress(now);
    }
}
