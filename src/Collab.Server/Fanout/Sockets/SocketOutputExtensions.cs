using Collab.Server.Fanout.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Collab.Server;

/// <summary>Shortens the server's way to its sockets.</summary>
public static class SocketOutputExtensions
{
    /// <summary>
    /// Writes what goes to a connection straight to its socket: sending to many costs less. For an endpoint of Kestrel's
    /// (<c>ConfigureEndpointDefaults(endpoint =&gt; endpoint.UseSocketOutput())</c>), before what else it uses, such as TLS. Without TLS, a WebSocket to
    /// Collab is a request of Kestrel's only until it is open, and needs less memory: what counts requests (Kestrel's limit of upgraded connections,
    /// <c>http.server.active_requests</c>) does not count it any more, and middleware sees it end.
    /// </summary>
    /// <param name="connections">The endpoint, its <c>ListenOptions</c>.</param>
    /// <returns>The same.</returns>
    public static IConnectionBuilder UseSocketOutput(this IConnectionBuilder connections)
    {
        ArgumentNullException.ThrowIfNull(connections);
        return connections.Use(next => connection =>
        {
            if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket)
                return next(connection);
            // Who sends shall never wait in the call itself.
            socket.Blocking = false;
            return new SocketDuplex(connection, connection.Transport, socket).RunAsync(next);
        });
    }
}
