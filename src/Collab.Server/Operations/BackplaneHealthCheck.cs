using Collab.Server.Nodes;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Collab.Server.Operations;

/// <summary>Without the backplane a node goes on, only slower towards clients of other nodes: it is degraded, but ready.</summary>
internal sealed class BackplaneHealthCheck(IBackplane backplane) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(backplane is { IsShared: true, IsConnected: false }
            ? HealthCheckResult.Degraded("The backplane is away; what other nodes write is read from the store.")
            : HealthCheckResult.Healthy());
}
