using Collab.Server.Rooms;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Collab.Server.Operations;

/// <summary>Ready means that joins and pushes will succeed, and that is so when the store takes reads and writes.</summary>
internal sealed class StoreHealthCheck(IRoomLog log) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await log.CheckAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (RoomLogUnavailableException exception)
        {
            return HealthCheckResult.Unhealthy(exception.Message);
        }
    }
}
