using System.Collections.Concurrent;
using Collab.Protocol;
using Collab.Server.Channels;
using Collab.Server.Documents;
using Collab.Server.Fanout;

namespace Collab.Server;

/// <summary>
/// What begins and ends with a connection. A client may name a session: when it opens a second connection with the same name, as a badly
/// written reconnect does, the first one is ended, so nothing is received twice.
/// </summary>
internal sealed class Connections(DocumentService documents, ChannelService channels, CollabLifetimeManager lifetimes)
{
    /// <summary>The parameter of the URL that names the session.</summary>
    public const string SessionParameter = "session";

    private readonly ConcurrentDictionary<SessionKey, string> _sessions = new();
    private readonly ConcurrentDictionary<string, SessionKey> _keys = new(StringComparer.Ordinal);

    /// <summary>A connection has begun.</summary>
    /// <param name="caller">The connection.</param>
    /// <param name="session">The session that it names, if any; it counts among those of its user.</param>
    /// <param name="stream">What it streams, for connections that are not to the hub: only the same stream is replaced.</param>
    public void Begin(Caller caller, string? session, string stream = "")
    {
        if (caller.UserId is null || !EventName.IsValid(session))
            return;
        var key = new SessionKey(caller.UserId, session!, stream);
        _keys[caller.ConnectionId] = key;
        string? former = null;
        _sessions.AddOrUpdate(key, caller.ConnectionId, (_, known) =>
        {
            former = known;
            return caller.ConnectionId;
        });
        if (former is not null)
            _ = lifetimes.ReplaceAsync(former);
    }

    /// <summary>A connection has ended.</summary>
    public async Task EndAsync(Caller caller)
    {
        if (_keys.TryRemove(caller.ConnectionId, out var key))
            _sessions.TryRemove(KeyValuePair.Create(key, caller.ConnectionId));
        var joined = lifetimes.Close(caller.ConnectionId);
        await documents.LeaveAllAsync(caller.ConnectionId, joined);
        await channels.LeaveAllAsync(caller, joined);
    }

    private readonly record struct SessionKey(string UserId, string Session, string Stream);
}
