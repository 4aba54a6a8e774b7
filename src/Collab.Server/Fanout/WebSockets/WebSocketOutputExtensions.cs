using System.IO.Pipelines;
using System.Net.Sockets;
using Collab.Server.Fanout.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Fanout.WebSockets;

/// <summary>Puts <see cref="WebSocketOutput"/> in the place of SignalR's own way to a WebSocket.</summary>
internal static class WebSocketOutputExtensions
{
    /// <summary>Keeps the connection of each WebSocket within reach.</summary>
    /// <param name="endpoint">The endpoints, of the hub or of the gateways.</param>
    /// <param name="patience">How long one write may take before the connection is cut.</param>
    /// <param name="services">The application's.</param>
    /// <param name="overHttp2">Also of those over HTTP/2. The hub's go SignalR's way there.</param>
    public static TBuilder WithFrameStreams<TBuilder>(this TBuilder endpoint, TimeSpan patience, IServiceProvider services, bool overHttp2 = false)
        where TBuilder : IEndpointConventionBuilder
    {
        var metrics = services.GetRequiredService<FanoutMetrics>();
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger(FanoutLog.Category);
        endpoint.Add(endpoint =>
        {
            var next = endpoint.RequestDelegate!;
            endpoint.RequestDelegate = context =>
            {
                if (context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true })
                {
                    // Each frame has a time of its own.
                    if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
                        rate.MinDataRate = null;
                    return context.Features.Get<IConnectionTransportFeature>()?.Transport is SocketDuplex connection
                        ? UpgradedRequest.ServeAsync(context, connection, ServeOver(connection.Socket, next))
                        : ServeOver(null, next)(context);
                }

                if (overHttp2 && context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true } connect)
                {
                    context.Features.Set<IHttpExtendedConnectFeature>(new FrameConnectFeature(connect, CutOf(context), patience));
                }

                return next(context);
            };
        });
        return endpoint;

        RequestDelegate ServeOver(Socket? socket, RequestDelegate next) => context =>
        {
            var upgrade = context.Features.GetRequiredFeature<IHttpUpgradeFeature>();
            context.Features.Set<IHttpUpgradeFeature>(new FrameStreamFeature(upgrade, () => CutOf(context), patience, socket));
            return next(context);
        };

        // The context itself is not held.
        Action CutOf(HttpContext context)
        {
            var (connectionId, lifetime) = (context.Connection.Id, context.Features.GetRequiredFeature<IHttpRequestLifetimeFeature>());
            return () =>
            {
                metrics.Stalled();
                FanoutLog.Stalled(logger, connectionId, (long)patience.TotalMilliseconds);
                lifetime.Abort();
            };
        }
    }

    /// <summary>Writes straight to those connections that are WebSockets.</summary>
    public static IConnectionBuilder UseWebSocketOutput(this IConnectionBuilder connections) => connections.Use(next => connection =>
    {
        if (connection.GetHttpContext()?.Features.Get<IHttpUpgradeFeature>() is FrameStreamFeature socket
            && connection.Features.Get<ITransferFormatFeature>() is { } format)
        {
            var transport = connection.Transport;
            var output = new WebSocketOutput(transport.Output, socket, format);
            connection.Transport = new Duplex(transport.Input, output);
            connection.Features.Set(output);
        }

        return next(connection);
    });

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
