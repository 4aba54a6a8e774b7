using Collab.Server.Documents;
using Collab.Server.Fanout;
using Collab.Server.Limits;
using Collab.Server.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Collab.Server.Gateways.Hocuspocus;

/// <summary>Serves any number of documents over one WebSocket to a client of Hocuspocus' protocol.</summary>
internal sealed class HocuspocusGateway(
    GatewaySockets sockets,
    GatewayConnections connections,
    GatewayKeepAlive keepAlive,
    DocumentService documents,
    ConnectionCounts counts,
    RequestRate requests,
    MessageSignIn signIns,
    IOptions<LimitOptions> limits,
    IHostApplicationLifetime lifetime,
    TimeProvider clock)
{
    /// <summary>Serves a request until the client or the server ends it.</summary>
    /// <exception cref="CollabException">It is none for a WebSocket, or there are too many.</exception>
    public async Task RunAsync(HttpContext context)
    {
        lifetime.ThrowIfStopping();
        using var held = await counts.HoldAsync(context);
        using var socket = await sockets.AcceptAsync(context);
        await using var session = new HocuspocusSession(
            context, socket, connections, documents, requests, token => signIns.SignInAsync(context, token), limits.Value, clock);
        keepAlive.Add(socket, () => session.Silence);
        try
        {
            await session.RunAsync();
        }
        catch (Exception exception) when (GatewaySocket.IsItsEnd(exception))
        {
            // The connection broke.
        }
        finally
        {
            keepAlive.Remove(socket);
        }
    }
}
