using Collab.Protocol;
using Microsoft.Extensions.Hosting;

namespace Collab.Server.Fanout;

/// <summary>
/// Closes the connections in good order when the server stops: clients are told, and close. Left to itself SignalR drops the transports
/// under them, and whoever is sending at that moment sees a broken connection.
/// </summary>
internal sealed class CloseOnStop(CollabLifetimeManager connections, IHostApplicationLifetime lifetime) : IHostedService, IDisposable
{
    /// <summary>Who has not closed by then is dropped.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    private CancellationTokenRegistration _stopping;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // What is registered last is called first: before SignalR, which registers when the hub is mapped, drops the transports. Like
        // SignalR's own, this callback is the place to wait, as everything after it ends connections.
        _stopping = lifetime.ApplicationStopping.Register(() => Task.Run(connections.CloseAllAsync).Wait(Patience));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _stopping.Dispose();
}

/// <summary>What a server that stops does not begin any more.</summary>
internal static class StoppingExtensions
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>Refuses what would have to be ended at once.</summary>
    /// <exception cref="CollabException"><c>unavailable</c>: the server is stopping.</exception>
    public static void ThrowIfStopping(this IHostApplicationLifetime lifetime)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested)
            throw new CollabException(ErrorCodes.Unavailable, "this server is stopping; connect again, to another one if there is one") { RetryAfter = RetryAfter };
    }
}
