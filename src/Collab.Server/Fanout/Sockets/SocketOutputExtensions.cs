using Collab.Server.Fanout.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Collab.Server;

/// <summary>Shortens the server's way to its sockets.</summary>
public static class SocketOutputExtensions
{
    /// <summary>
    /// Writes what goes to a connection straight to its socket: sending to many costs less. For an endpoint of Kestrel's
    /// (<c>ConfigureEndpointDefaults(endpoint =&gt; endpoint.UseSocketOutput())</c>), before what else it uses, such as TLS.
    /// </summary>
    /// <param name="connections">The endpoint, its <c>ListenOptions</c>.</param>
    /// <returns>The same.</returns>
    public static IConnectionBuilder UseSocketOutput(this IConnectionBuilder connections)
    {
        ArgumentNullException.ThrowIfNull(connections);
        return connections.Use(next => connection =>
        {
            if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket)
            {
                // Who sends shall never wait in the call itself.
                socket.Blocking = false;
                connection.Transport = new SocketDuplex(connection.Transport, socket, connection.Abort);
            }

            return next(connection);
        });
    }
}
