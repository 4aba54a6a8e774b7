using System.Collections.Concurrent;
using Collab.Protocol;
using Collab.Server.Channels;
using Collab.Server.Documents;
using Collab.Server.Fanout;
using Collab.Server.Limits;
using Collab.Server.Nodes;
using Collab.Server.Rooms;
using Collab.Server.Security;
using MessagePack;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Collab.Server;

/// <summary>
/// The connections of this node, and what begins and ends with them. A client may name a session: when it opens a second connection with
/// the same name, as a badly written reconnect does, the first one is ended, so nothing is received twice. A connection lasts as long as
/// what its user signed in with, or a renewal of it, and his rights are asked anew whenever they may have changed.
/// </summary>
internal sealed class Connections(
    DocumentService documents,
    ChannelService channels,
    CollabLifetimeManager lifetimes,
    RoomAuthorizer authorizer,
    Revocations revocations,
    NodeBus bus,
    IOptions<LimitOptions> limits,
    TimeProvider clock)
    : IHostedService, INodeListener, IDisposable
{
    // The group in which nodes say which sessions they have connections of.
    private const string Sessions = "sessions";
    private const int Opened = 1;

    /// <summary>The parameter of the URL that names the session.</summary>
    public const string SessionParameter = "session";

    private const int RefusalsForgivenPerSecond = 10;

    private static readonly TimeSpan ExpiryCheckInterval = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<string, OpenConnection> _open = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, OpenConnection> _byToken = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<SessionKey, string> _sessions = new();
    private readonly CallRate<string> _refusals = new(
        _ => (limits.Value.RefusalsPerConnection == 0 ? 0 : RefusalsForgivenPerSecond, limits.Value.RefusalsPerConnection), "", "");
    private ITimer? _expiryCheck;

    /// <summary>A connection has begun.</summary>
    /// <param name="caller">The connection.</param>
    /// <param name="token">SignalR's connection token, by which it is renewed; null when it has none.</param>
    /// <param name="session">The session that it names, if any; it counts among those of its user.</param>
    /// <param name="stream">What it streams, for connections that are not to the hub: only the same stream is replaced.</param>
    /// <param name="held">Counts the connection, and is disposed of at its end.</param>
    public void Begin(Caller caller, string? token, string? session, string stream = "", IDisposable? held = null)
    {
        SessionKey? key = caller.UserId is not null && EventName.IsValid(session) ? new SessionKey(caller.UserId, session!, stream) : null;
        var connection = new OpenConnection(caller, token, key, held);
        _open[caller.ConnectionId] = connection;
        if (token is not null)
            _byToken[token] = connection;
        if (key is null)
            return;
        string? former = null;
        _sessions.AddOrUpdate(key.Value, caller.ConnectionId, (_, known) =>
        {
            former = known;
            return caller.ConnectionId;
        });
        if (former is not null)
            _ = lifetimes.ReplaceAsync(former);
        var (user, name) = (key.Value.UserId, key.Value.Session);
        bus.Say(Sessions, Opened, (ref writer) =>
        {
            writer.Write(user);
            writer.Write(name);
            writer.Write(stream);
        });
    }

    /// <summary>Whether the connection of this connection token is open.</summary>
    public bool IsOpen(string token) => _byToken.ContainsKey(token);

    /// <summary>Who is at the other end of an open connection.</summary>
    public Caller CallerOf(string connectionId) => _open.TryGetValue(connectionId, out var connection)
        ? connection.Caller
        : throw new CollabException(ErrorCodes.NotJoined, "the connection has ended");

    /// <summary>The user of a connection has signed in anew: from here on it lasts and may do what he may now.</summary>
    /// <param name="token">The connection token; one that is not open yet begins with what was negotiated last.</param>
    /// <param name="signIn">As whom he signed in.</param>
    public Task RenewAsync(string token, SignIn signIn) =>
        _byToken.TryGetValue(token, out var connection) ? RenewAsync(connection, signIn) : Task.CompletedTask;

    /// <summary>The same for the user's connection of a session.</summary>
    /// <returns>False when he has none.</returns>
    public async Task<bool> RenewSessionAsync(string session, SignIn signIn)
    {
        if (SubjectUserIdProvider.IdOf(signIn.User) is not { } user
            || !_sessions.TryGetValue(new SessionKey(user, session, ""), out var id)
            || !_open.TryGetValue(id, out var connection)
            || connection.Caller.SignIn.Owner != signIn.Owner)
        {
            return false;
        }

        await RenewAsync(connection, signIn);
        return true;
    }

    /// <summary>Asks anew what everybody may do: rights were taken away.</summary>
    public async Task ReviewAllAsync()
    {
        authorizer.NoteChange();
        foreach (var connection in _open.Values)
            await ReviewAsync(connection);
    }

    /// <summary>A call was refused because there were too many. Who does not care is sent away.</summary>
    public void NoteRateLimited(string connectionId)
    {
        if (!_refusals.TryCount(connectionId, 1, out _))
            SendAway(connectionId, new CollabException(ErrorCodes.RateLimited, "too many of your calls had to be refused"));
    }

    /// <summary>Ends a connection that its client should not open again at once.</summary>
    public void SendAway(string connectionId, CollabException reason)
    {
        if (_open.TryGetValue(connectionId, out var connection) && connection.TryEnd())
            _ = lifetimes.EndAsync(connectionId, new CloseMessage($"{reason.Code}: {reason.Message}", allowReconnect: false));
    }

    /// <summary>A connection has ended.</summary>
    public async Task EndAsync(string connectionId)
    {
        if (!_open.TryRemove(connectionId, out var connection))
            return;
        if (connection.Token is { } token)
            _byToken.TryRemove(KeyValuePair.Create(token, connection));
        if (connection.Session is { } key)
            _sessions.TryRemove(KeyValuePair.Create(key, connectionId));
        connection.Held?.Dispose();
        var joined = lifetimes.Close(connectionId);
        await documents.LeaveAllAsync(connectionId, joined);
        await channels.LeaveAllAsync(connection.Caller, joined);
    }

    Task IHostedService.StartAsync(CancellationToken cancellationToken)
    {
        bus.Join(Sessions, this);
        _expiryCheck = clock.CreateTimer(_ => EndExpired(), null, ExpiryCheckInterval, ExpiryCheckInterval);
        return Task.CompletedTask;
    }

    Task IHostedService.StopAsync(CancellationToken cancellationToken)
    {
        _expiryCheck?.Dispose();
        return Task.CompletedTask;
    }

    void INodeListener.Receive(string node, int kind, ref MessagePackReader body)
    {
        // A connection to another node has taken the place of one to this.
        if (kind == Opened && _sessions.TryRemove(new SessionKey(body.ReadString()!, body.ReadString()!, body.ReadString()!), out var former))
            _ = lifetimes.ReplaceAsync(former);
    }

    void INodeListener.Joined()
    {
        // What was opened meanwhile is not known to the others; both connections stay.
    }

    void INodeListener.Lost(string node)
    {
        // Its connections are gone.
    }

    public void Dispose()
    {
        _expiryCheck?.Dispose();
        _expiryCheck = null;
        _refusals.Dispose();
    }

    private async Task RenewAsync(OpenConnection connection, SignIn signIn)
    {
        connection.Caller.SignIn = signIn;
        authorizer.NoteChange();
        await ReviewAsync(connection);
    }

    private async Task ReviewAsync(OpenConnection connection)
    {
        var caller = connection.Caller;
        foreach (var room in lifetimes.RoomsOf(caller.ConnectionId))
        {
            if (room.Kind is RoomKind.Document)
                await documents.ReviewAsync(caller, room.Name);
            else
                await channels.ReviewAsync(caller, room.Name);
        }

        if (revocations.AreKnown && revocations.Revokes(caller.User))
            _ = lifetimes.EndAsync(caller.ConnectionId, new CloseMessage($"{ErrorCodes.Forbidden}: what you signed in with was revoked", allowReconnect: false));
    }

    private void EndExpired()
    {
        var now = clock.GetUtcNow();
        foreach (var connection in _open.Values)
        {
            if (connection.Caller.SignIn.Expires <= now && connection.TryEnd())
                _ = lifetimes.EndAsync(connection.Caller.ConnectionId, new CloseMessage("expired: the token has expired", allowReconnect: true));
        }
    }

    private readonly record struct SessionKey(string UserId, string Session, string Stream);

    private sealed class OpenConnection(Caller caller, string? token, SessionKey? session, IDisposable? held)
    {
        private int _ending;

        public Caller Caller { get; } = caller;

        public string? Token { get; } = token;

        public SessionKey? Session { get; } = session;

        public IDisposable? Held { get; } = held;

        /// <returns>False when it is being ended already.</returns>
        public bool TryEnd() => Interlocked.Exchange(ref _ending, 1) == 0;
    }
}
