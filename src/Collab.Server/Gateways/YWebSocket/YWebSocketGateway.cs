using Collab.Server.Documents;
using Collab.Server.Fanout;
using Collab.Server.Fanout.Sockets;
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
        var held = await counts.HoldAsync(context);
        GatewaySocket socket;
        try
        {
            socket = await sockets.AcceptAsync(context);
        }
        catch
        {
            held?.Dispose();
            throw;
        }

        var signIn = context.User.Identity is { IsAuthenticated: true } ? SignIn.Of(context) : null;
        await context.GoOnAsync(RunAsync(documentId, socket, held, signIn, context.Request.Query[Connections.SessionParameter]));
    }

    private async Task RunAsync(string documentId, GatewaySocket socket, IDisposable? held, SignIn? signIn, string? session)
    {
        try
        {
            if (signIn is null)
                await TurnAwayAsync(socket);
            else
                await FollowAsync(documentId, socket, signIn, session);
        }
        catch (Exception exception) when (GatewaySocket.IsItsEnd(exception))
        {
            // The connection broke.
        }
        finally
        {
            socket.Dispose();
            held?.Dispose();
        }
    }

    private async Task FollowAsync(string documentId, GatewaySocket socket, SignIn signIn, string? session)
    {
        var connection = await connections.BeginAsync(
            signIn, socket, Format, reason => YWebSocketDocument.EndAsync(socket, reason), session, $"{Format.Name} {documentId}");
        var document = new YWebSocketDocument(documents, requests, connection.Caller, documentId, socket);
        keepAlive.Add(socket, () => document.Silence);
        try
        {
            await TryAsync(document, document.OpenAsync());
            while (await socket.NextAsync(exception => _ = document.FailAsync(exception)) is { } message)
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
        while (await socket.NextAsync() is not null)
        {
            // It counts no more.
        }
    }
}
