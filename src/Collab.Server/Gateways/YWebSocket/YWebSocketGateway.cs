using Collab.Server.Documents;
using Collab.Server.Fanout;
using Collab.Server.Limits;
using Collab.Server.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace Collab.Server.Gateways.YWebSocket;

/// <summary>Serves one document to a client of the y-websocket protocol.</summary>
internal sealed class YWebSocketGateway(
    GatewaySockets sockets,
    GatewayConnections connections,
    GatewayKeepAlive keepAlive,
    DocumentService documents,
    ConnectionCounts counts,
    RequestRate requests,
    IHostApplicationLifetime lifetime)
{
    private static readonly GatewayFormat Format = new("y_websocket", static _ => []);

    /// <summary>Serves a request until the client or the server ends it.</summary>
    /// <exception cref="CollabException">It is none for a WebSocket, or there are too many.</exception>
    public async Task RunAsync(HttpContext context, string documentId)
    {
        lifetime.ThrowIfStopping();
        using var held = await counts.HoldAsync(context);
        using var socket = await sockets.AcceptAsync(context);
        try
        {
            if (context.User.Identity is { IsAuthenticated: true })
                await RunAsync(context, documentId, socket);
            else
                await TurnAwayAsync(socket);
        }
        catch (Exception exception) when (GatewaySocket.IsItsEnd(exception))
        {
            // The connection broke.
        }
    }

    private async Task RunAsync(HttpContext context, string documentId, GatewaySocket socket)
    {
        var connection = await connections.BeginAsync(
            SignIn.Of(context),
            socket,
            Format,
            reason => YWebSocketDocument.EndAsync(socket, reason),
            context.Request.Query[Connections.SessionParameter],
            $"{Format.Name} {documentId}");
        var document = new YWebSocketDocument(documents, requests, connection.Caller, documentId, socket);
        keepAlive.Add(socket, () => document.Silence);
        try
        {
            await TryAsync(document, document.OpenAsync());
            await foreach (var message in socket.ReadAllAsync(exception => _ = document.FailAsync(exception)))
                await TryAsync(document, document.TakeAsync(message));
        }
        finally
        {
            keepAlive.Remove(socket);
            await connections.EndAsync(connection);
        }
    }

    private static async ValueTask TryAsync(YWebSocketDocument document, ValueTask action)
    {
        try
        {
            await action;
        }
        catch (CollabException exception)
        {
            _ = document.FailAsync(exception);
        }
    }

    /// <summary>Tells who has not signed in that he is to, where his page can see it.</summary>
    private static async Task TurnAwayAsync(GatewaySocket socket)
    {
        _ = YWebSocketDocument.EndAsync(socket, "unauthorized: sign in first");
        await foreach (var _ in socket.ReadAllAsync())
        {
            // It counts no more.
        }
    }
}
