using Collab.Protocol;
using Collab.Server.Channels;
using Collab.Server.Documents;
using Collab.Server.Events;
using Collab.Server.Fanout;
using Collab.Server.Fanout.WebSockets;
using Collab.Server.Gateways;
using Collab.Server.Limits;
using Collab.Server.Operations;
using Collab.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Collab.Server;

/// <summary>Maps Collab's endpoints.</summary>
public static class CollabEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps the hub at <see cref="HubContract.Path"/>, documents and channels over HTTP, and <c>/tickets</c> where tickets were added,
    /// for signed-in users; <c>/admin</c> for those who administer; and the health endpoints <c>/health/live</c> and <c>/health/ready</c>, for everybody.
    /// </summary>
    /// <returns>The hub's endpoints.</returns>
    public static IEndpointConventionBuilder MapCollab(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);

        endpoints.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false, ResponseWriter = HealthAnswer.WriteAsync }).AllowAnonymous();
        endpoints.MapHealthChecks("/health/ready", new HealthCheckOptions
        {
            Predicate = check => check.Tags.Contains(CollabServiceCollectionExtensions.ReadyTag),
            ResponseWriter = HealthAnswer.WriteAsync,
        }).AllowAnonymous();

        var services = endpoints.ServiceProvider;
        var doors = services.GetRequiredService<OriginCheck>().Guard(endpoints.MapGroup(""));
        var counted = services.GetRequiredService<RequestRate>().Guard(doors.MapGroup(""));
        counted.MapDocuments();
        counted.MapChannels();
        counted.MapRevocations();
        counted.MapStatus();
        counted.MapEvents();
        counted.MapGateways();
        ConnectionGate.MapRefresh(counted);
        if (services.GetService<Tickets>() is not null)
            counted.MapTickets();
        return doors.MapCollabHub(services.GetRequiredService<IOptions<FanoutOptions>>().Value).RequireAuthorization().WithoutProxyBuffering();
    }

    /// <summary>As <c>MapHub</c> does, but for how WebSockets are written to.</summary>
    private static ConnectionEndpointRouteBuilder MapCollabHub(this IEndpointRouteBuilder endpoints, FanoutOptions fanout)
    {
        var transports = new HttpConnectionDispatcherOptions();
        Configure(transports, fanout);
        var hub = endpoints.MapConnections(HubContract.Path, transports, connections => connections.UseWebSocketOutput().UseHub<CollabHub>());
        hub.Add(endpoint => endpoint.Metadata.Add(new HubMetadata(typeof(CollabHub))));
        return ConnectionGate.Guard(hub).WithFrameStreams(transports.TransportSendTimeout, endpoints.ServiceProvider);
    }

    /// <summary>Asks nginx not to gather what is to go out at once; without it, events of the SSE transport come late or never.</summary>
    internal static TBuilder WithoutProxyBuffering<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint =>
        {
            var next = endpoint.RequestDelegate!;
            endpoint.RequestDelegate = context =>
            {
                context.Response.Headers["X-Accel-Buffering"] = "no";
                return next(context);
            };
        });
        return builder;
    }

    /// <summary>Says in an endpoint's description which refusals every endpoint has.</summary>
    internal static RouteHandlerBuilder RefusesAsUsual(this RouteHandlerBuilder endpoint) => endpoint
        .ProducesProblem(StatusCodes.Status400BadRequest)
        .Produces(StatusCodes.Status401Unauthorized)
        .ProducesProblem(StatusCodes.Status403Forbidden)
        .ProducesProblem(StatusCodes.Status429TooManyRequests)
        .ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    private static void Configure(HttpConnectionDispatcherOptions transports, FanoutOptions fanout)
    {
        // SignalR sends no pings over long polling: an empty answer takes their place.
        transports.LongPolling.PollTimeout = TimeSpan.FromMilliseconds(fanout.KeepAliveMilliseconds);
        transports.TransportSendTimeout = TimeSpan.FromMilliseconds(fanout.WriteTimeoutMilliseconds);
    }
}
