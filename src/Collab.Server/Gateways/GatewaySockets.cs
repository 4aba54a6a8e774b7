using System.Net.WebSockets;
using Collab.Protocol;
using Collab.Server.Documents;
using Collab.Server.Fanout.WebSockets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace Collab.Server.Gateways;

/// <summary>Opens the WebSockets of clients that speak a Yjs protocol.</summary>
internal sealed class GatewaySockets(IOptions<DocumentOptions> options)
{
    // What stands around an update: kinds, lengths, a document's name and a session's.
    private const int MaxEnvelope = 1024;

    /// <summary>Opens the WebSocket of a request.</summary>
    /// <exception cref="CollabException"><c>invalid_argument</c>: the request is not for one.</exception>
    public async Task<GatewaySocket> AcceptAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
            throw new CollabException(ErrorCodes.InvalidArgument, "open this address as a WebSocket");
        // Only for the handshake: it remembers the request. Neither pings: GatewayKeepAlive does.
        await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext { KeepAliveInterval = Timeout.InfiniteTimeSpan });
        var stream = (context.Features.Get<IHttpUpgradeFeature>() as FrameStreamFeature)?.Stream
            ?? (context.Features.Get<IHttpExtendedConnectFeature>() as FrameConnectFeature)?.Stream
            ?? throw new InvalidOperationException("The endpoint is not mapped with frame streams.");
        var webSocket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = true, KeepAliveInterval = Timeout.InfiniteTimeSpan });
        return new GatewaySocket(
            webSocket, stream, options.Value.MaxUpdateBytes + MaxEnvelope, context.Features.GetRequiredFeature<IHttpRequestLifetimeFeature>().Abort);
    }
}
