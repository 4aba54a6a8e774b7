using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Collab.Server.Operations;

/// <summary>Answers with the status, and with the reason of each check that is not well: <c>{ "status": "unhealthy", "reasons": { "store": … } }</c>.</summary>
internal static class HealthAnswer
{
    public static Task WriteAsync(HttpContext context, HealthReport report) => context.Response.WriteAsJsonAsync(new
    {
        status = NameOf(report.Status),
        reasons = report.Entries
            .Where(entry => entry.Value.Status is not HealthStatus.Healthy)
            .ToDictionary(entry => entry.Key, entry => entry.Value.Description ?? NameOf(entry.Value.Status)),
    });

    private static string NameOf(HealthStatus status) => status switch
    {
        HealthStatus.Healthy => "healthy",
        HealthStatus.Degraded => "degraded",
        _ => "unhealthy",
    };
}
