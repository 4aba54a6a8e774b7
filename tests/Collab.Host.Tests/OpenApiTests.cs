using System.Net;
using System.Text.Json;
using Collab.Testing;

namespace Collab.Host.Tests;

/// <summary>The description of the HTTP routes.</summary>
public sealed class OpenApiTests
{
    [Fact]
    public async Task Every_route_is_described_with_its_parameters_and_refusals()
    {
        using var folder = new TemporaryFolder();
        await using var host = await HostProcess.Launch(folder.Path).ReadyAsync();
        using var http = new HttpClient();
        using var document = JsonDocument.Parse(await http.GetStringAsync(new Uri(host.Url + "/openapi/v1.json")));
        var paths = document.RootElement.GetProperty("paths");
        var routes = paths.EnumerateObject().SelectMany(path => path.Value.EnumerateObject().Select(method => $"{method.Name} {path.Name}"));
        Assert.Equal(
            [
                "delete /admin/events/{sink}/dead-letters/{id}", "delete /documents/{documentId}", "delete /documents/{documentId}/versions/{version}",
                "get /admin/events", "get /admin/events/{sink}/dead-letters", "get /admin/status", "get /channels/{channel}/events", "get /channels/{channel}/members", "get /channels/{channel}/messages", "get /documents",
                "get /documents/{documentId}", "get /documents/{documentId}/versions", "get /documents/{documentId}/versions/{version}",
                "get /documents/{documentId}/versions/{version}/changes", "get /events", "get /health/live", "get /health/ready", "patch /documents/{documentId}", "patch /documents/{documentId}/versions/{version}",
                "post /admin/events/{sink}/dead-letters/resend", "post /admin/events/{sink}/enable", "post /admin/revocations", "post /channels/{channel}/messages", "post /documents/{documentId}/updates", "post /documents/{documentId}/versions",
                "post /documents/{documentId}/versions/{version}/restore", "post /hubs/collab/refresh", "post /tickets", "put /documents/{documentId}",
            ],
            routes.Order(StringComparer.Ordinal));
        var publish = paths.GetProperty("/channels/{channel}/messages").GetProperty("post");
        Assert.Contains("Idempotency-Key", Names(publish));
        Assert.Contains("Last-Event-ID", Names(paths.GetProperty("/events").GetProperty("get")));
        Assert.Equal(
            ["200", "400", "401", "403", "413", "415", "429", "503"],
            publish.GetProperty("responses").EnumerateObject().Select(response => response.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task There_is_a_page_to_browse_it_in_development_only()
    {
        using var folder = new TemporaryFolder();
        using var http = new HttpClient();
        await using (var host = await HostProcess.Launch(folder.Path).ReadyAsync())
            Assert.Contains("swagger-ui", await http.GetStringAsync(new Uri(host.Url + "/openapi/index.html")), StringComparison.Ordinal);

        await using var production = await HostProcess.Launch(folder.Path, "Production", Security.Tokens.Settings).ReadyAsync();
        using var page = await http.GetAsync(new Uri(production.Url + "/openapi/index.html"));
        Assert.Equal(HttpStatusCode.NotFound, page.StatusCode);
        using var document = await http.GetAsync(new Uri(production.Url + "/openapi/v1.json"));
        Assert.Equal(HttpStatusCode.OK, document.StatusCode);
    }

    private static IEnumerable<string?> Names(JsonElement operation) =>
        operation.GetProperty("parameters").EnumerateArray().Select(parameter => parameter.GetProperty("name").GetString());
}
