using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Collab.PostgresChanges;

/// <summary>A node that cannot follow the tables, or is far behind, is degraded but ready: everything else works.</summary>
internal sealed class ChangesHealthCheck(ChangesStatus status, IOptions<PostgresChangesOptions> options) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
        status.Fault is { } fault ? HealthCheckResult.Degraded(fault)
        : status.Lag?.Bytes >= options.Value.LagAlarmBytes ? HealthCheckResult.Degraded("The changes of tables are far behind.")
        : HealthCheckResult.Healthy());
}
