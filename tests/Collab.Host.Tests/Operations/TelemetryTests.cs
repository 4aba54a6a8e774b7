using System.Collections.Concurrent;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using Collab.Host.Tests.Security;
using Collab.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Collab.Host.Tests.Operations;

/// <summary>What a server tells of itself: <c>/metrics</c>, and what it sends to a collector.</summary>
public sealed partial class TelemetryTests : IDisposable
{
    private const string Administers = """{ "admin": true }""";
    private const string Reads = """[{ "document": "*", "access": ["read"] }]""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Metrics_are_for_those_who_administer()
    {
        await using var host = await HostProcess.Launch(_folder.Path, "Production", Tokens.Settings).ReadyAsync();

        Assert.Equal(HttpStatusCode.Unauthorized, (await ScrapeAsync(host, null)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await ScrapeAsync(host, Tokens.Of(Reads))).Status);
        Assert.Equal(HttpStatusCode.OK, (await ScrapeAsync(host, Tokens.Of(Administers))).Status);
    }

    [Fact]
    public async Task Metrics_are_for_everybody_when_a_setting_says_so()
    {
        await using var host = await HostProcess.Launch(
            _folder.Path, "Production", [.. Tokens.Settings, ("Collab__Metrics__Anonymous", "true")]).ReadyAsync();

        Assert.Equal(HttpStatusCode.OK, (await ScrapeAsync(host, null)).Status);
    }

    [Fact]
    public async Task Every_metric_of_the_dashboard_is_there()
    {
        await using var host = await HostProcess.Launch(_folder.Path, "Development").ReadyAsync();
        var (writer, reader) = (await host.ConnectAsync(), await host.ConnectAsync());
        await writer.JoinAsync("d");
        await reader.JoinAsync("d");
        var typist = new Typist(1);
        for (var i = 0; i < 3; i++)
            await writer.PushAsync("d", typist.Type("a"));
        await reader.UntilReadAsync(new Typist(1), 3);

        var metrics = (await ScrapeAsync(host, null)).Text;

        Assert.Contains("collab_connections{otel_scope_name=\"Collab.Fanout\",transport=\"websockets\"} 2", metrics, StringComparison.Ordinal);
        Assert.Contains("collab_rooms_entries_total{otel_scope_name=\"Collab.Rooms\",kind=\"document\"} 3", metrics, StringComparison.Ordinal);
        var dashboard = await DashboardAsync();
        var wanted = MetricName().Matches(dashboard).Select(match => match.Value).Distinct().ToArray();
        Assert.InRange(wanted.Length, 15, 100);
        // A counter is written from its first event on.
        string[] mayNotHaveHappened =
            ["collab_fanout_dropped_bytes_total", "collab_fanout_fell_behind_total", "collab_fanout_stalled_total", "collab_documents_compactions_total",
             "collab_nodes_healed_total", "collab_nodes_said_total", "collab_nodes_heard_total", "collab_nodes_restored_total",
             "collab_changes_messages_total", "collab_changes_restarts_total", "collab_changes_lag_bytes", "collab_changes_kept_wal_bytes",
             "collab_events_delivered_total", "collab_events_failed_total", "collab_events_dead_total", "collab_events_waiting",
             "collab_events_delivery_duration_seconds_bucket"];
        Assert.All(wanted.Except(mayNotHaveHappened), name => Assert.Contains(name, metrics, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_collector_gets_metrics_and_traces_and_no_token_and_no_ticket()
    {
        var received = new ConcurrentQueue<(string Path, string Text)>();
        await using var collector = await CollectAsync(received);
        await using var host = await HostProcess.Launch(_folder.Path, "Production",
        [
            .. Tokens.Settings,
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Urls.First()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
            ("Collab__Security__AcceptAccessTokenInQuery", "true"),
        ]).ReadyAsync();
        var token = Tokens.Of(CollabTestHost.Everything);
        var client = await host.ConnectAsync(token);
        await client.JoinAsync("d");
        await client.PushAsync("d", new Typist(1).Type("secret text"));
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri($"{host.Url}/channels/c/messages?wait=0&ticket=this-is-a-ticket&access_token={token}"));
        using var negotiated = await http.PostAsync(new Uri($"{host.Url}/hubs/collab/negotiate?access_token={token}"), null);
        await UntilAsync(() => received.Any(request => request.Text.Contains("commit", StringComparison.Ordinal))
            && received.Any(request => request.Text.Contains("/channels/", StringComparison.Ordinal))
            && received.Any(request => request.Text.Contains("collab.rooms.entries", StringComparison.Ordinal)));
        await host.TerminateAsync();

        Assert.Contains(received, request => request.Path == "/v1/traces");
        Assert.Contains(received, request => request.Path == "/v1/metrics");
        var signature = token[(token.LastIndexOf('.') + 1)..];
        Assert.DoesNotContain(received, request =>
            request.Text.Contains(signature, StringComparison.Ordinal) || request.Text.Contains("this-is-a-ticket", StringComparison.Ordinal)
            || request.Text.Contains("secret text", StringComparison.Ordinal));
    }

    private static async Task<WebApplication> CollectAsync(ConcurrentQueue<(string, string)> received)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            received.Enqueue((context.Request.Path, Encoding.Latin1.GetString(body.ToArray())));
        });
        await app.StartAsync();
        return app;
    }

    private static async Task<(HttpStatusCode Status, string Text)> ScrapeAsync(HostProcess host, string? token)
    {
        using var http = new HttpClient();
        if (token is not null)
            http.DefaultRequestHeaders.Add("Authorization", $"Bearer {token}");
        using var answer = await http.GetAsync(new Uri($"{host.Url}/metrics"));
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var i = 0; i < 200; i++)
        {
            if (condition())
                return;
            await Task.Delay(100);
        }

        Assert.Fail("The collector did not get it.");
    }

    private static Task<string> DashboardAsync([CallerFilePath] string here = "") =>
        File.ReadAllTextAsync(Path.Combine(Path.GetDirectoryName(here)!, "../../../deploy/grafana.json"));

    [GeneratedRegex("collab_[a-z_]+")]
    private static partial Regex MetricName();
}
