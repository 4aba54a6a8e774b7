using Collab.Server.Fanout;
using Collab.Server.Fanout.WebSockets;
using Collab.Server.Gateways.Hocuspocus;
using Collab.Server.Gateways.YWebSocket;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Collab.Server.Gateways;

/// <summary>Where clients of Yjs protocols connect.</summary>
internal static class GatewayEndpoints
{
    /// <summary>Maps <c>GET /yjs/{documentId}</c> and <c>GET /hocuspocus</c>.</summary>
    public static void MapGateways(this IEndpointRouteBuilder endpoints)
    {
        var yWebSocket = endpoints.ServiceProvider.GetRequiredService<YWebSocketGateway>();
        endpoints.MapGateway("/hocuspocus", endpoints.ServiceProvider.GetRequiredService<HocuspocusGateway>().RunAsync);
        // A name is one segment of the path or several; what is encoded in it is a slash, as no name has a percent sign.
        endpoints.MapGateway("/yjs/{**documentId}", context => yWebSocket.RunAsync(
            context, (context.GetRouteValue("documentId") as string ?? "").Replace("%2F", "/", StringComparison.OrdinalIgnoreCase)));
    }

    private static void MapGateway(this IEndpointRouteBuilder endpoints, string pattern, RequestDelegate serve)
    {
        var services = endpoints.ServiceProvider;
        var patience = TimeSpan.FromMilliseconds(services.GetRequiredService<IOptions<FanoutOptions>>().Value.WriteTimeoutMilliseconds);
        var app = endpoints.CreateApplicationBuilder();
        app.UseWebSockets();
        app.Run(async context =>
        {
            try
            {
                await serve(context);
            }
            catch (CollabException exception) when (!context.Response.HasStarted)
            {
                await CollabProblemFilter.RefuseAsync(context, exception);
            }
        });
        // Who has not signed in is told so over the WebSocket: a page does not see the answer to a request for one.
        endpoints.MapMethods(pattern, [HttpMethods.Get, HttpMethods.Connect], app.Build())
            .AllowAnonymous()
            .ExcludeFromDescription()
            .WithFrameStreams(patience, services, overHttp2: true);
    }
}
