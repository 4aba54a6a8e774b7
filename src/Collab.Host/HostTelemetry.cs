using Collab.Server.Security;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Collab.Host;

/// <summary>
/// Metrics and traces by OpenTelemetry. Metrics are at <c>/metrics</c> in Prometheus' form, for those who administer. Both are sent
/// to a collector where OpenTelemetry's own settings name one (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c>).
/// </summary>
internal static class HostTelemetry
{
    private const string CollectorKey = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string OpenMetricsKey = "Collab:Metrics:Anonymous";

    private static readonly string[] Meters =
        ["Collab.*", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.Http.Connections", "Npgsql", "System.Runtime"];

    private static readonly string[] Sources = ["Collab", "Microsoft.AspNetCore.SignalR.Server", "Npgsql"];

    public static void AddCollabTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        var telemetry = services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("collab"))
            .WithMetrics(metrics => metrics.AddMeter(Meters).AddPrometheusExporter());
        // Traces are made only for somebody who takes them. What is asked for is in them by its path; the query is left out.
        if (!string.IsNullOrEmpty(configuration[CollectorKey]))
            telemetry.WithTracing(tracing => tracing.AddSource(Sources).AddAspNetCoreInstrumentation()).UseOtlpExporter();
    }

    public static void MapCollabMetrics(this WebApplication app)
    {
        var metrics = app.MapPrometheusScrapingEndpoint("/metrics");
        if (app.Configuration.GetValue<bool>(OpenMetricsKey))
            metrics.AllowAnonymous();
        else
            metrics.RequireAuthorization(CollabPolicies.Administration);
    }
}
