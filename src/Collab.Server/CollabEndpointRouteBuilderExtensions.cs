using Collab.Protocol;
using Collab.Server.Channels;
using Collab.Server.Documents;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.Routing;

namespace Collab.Server;

/// <summary>Maps Collab's endpoints.</summary>
public static class CollabEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps the hub at <see cref="HubContract.Path"/>, documents and channels over HTTP, for signed-in users, and the health endpoints
    /// <c>/health/live</c> and <c>/health/ready</c>, for everybody.
    /// </summary>
    /// <returns>The hub's endpoints.</returns>
    public static IEndpointConventionBuilder MapCollab(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);

        endpoints.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false }).AllowAnonymous();
        endpoints.MapHealthChecks("/health/ready", new HealthCheckOptions
        {
            Predicate = check => check.Tags.Contains(CollabServiceCollectionExtensions.ReadyTag),
        }).AllowAnonymous();

        endpoints.MapDocuments();
        endpoints.MapChannels();
        return endpoints.MapHub<CollabHub>(HubContract.Path, ConfigureTransports).RequireAuthorization();
    }

    private static void ConfigureTransports(HttpConnectionDispatcherOptions transports)
    {
        // Below the idle timeouts of common proxies (60 s); SignalR's default is 90 s.
        transports.LongPolling.PollTimeout = TimeSpan.FromSeconds(25);
        transports.TransportSendTimeout = TimeSpan.FromSeconds(5);
        transports.CloseOnAuthenticationExpiration = true;
    }
}
