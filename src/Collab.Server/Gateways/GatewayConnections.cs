using Collab.Server.Fanout;
using Collab.Server.Security;

namespace Collab.Server.Gateways;

/// <summary>Begins and ends connections of clients that speak a Yjs protocol, as SignalR does those to the hub.</summary>
internal sealed class GatewayConnections(CollabLifetimeManager lifetimes, Connections connections)
{
    /// <summary>Begins a connection.</summary>
    /// <param name="signIn">As whom the client has signed in.</param>
    /// <param name="socket">Where he is.</param>
    /// <param name="format">How he is written to.</param>
    /// <param name="end">Tells him that it is over: with a code and a sentence, or null when he is to come back.</param>
    /// <param name="session">The session that he names, if any.</param>
    /// <param name="stream">What he follows: only the same is replaced.</param>
    public async Task<GatewayConnection> BeginAsync(
        SignIn signIn, GatewaySocket socket, GatewayFormat format, Func<string?, Task> end, string? session, string stream)
    {
        var caller = new Caller(Guid.NewGuid().ToString("N"), signIn, SubjectUserIdProvider.IdOf(signIn.User));
        var connection = new GatewayConnection(caller, socket, format, end);
        await lifetimes.AddAsync(connection);
        connections.Begin(caller, token: null, session, stream);
        return connection;
    }

    /// <summary>Ends it: the client leaves the document.</summary>
    public async Task EndAsync(GatewayConnection connection)
    {
        await connections.EndAsync(connection.ConnectionId);
        await lifetimes.RemoveAsync(connection.ConnectionId);
    }
}
