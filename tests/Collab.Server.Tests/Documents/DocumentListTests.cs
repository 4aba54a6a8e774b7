using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Collab.Testing;

namespace Collab.Server.Tests.Documents;

/// <summary>Which documents there are, over HTTP.</summary>
public sealed class DocumentListTests
{
    [Fact]
    public async Task The_list_has_the_documents_that_the_caller_may_read_page_by_page()
    {
        await using var host = await CollabTestHost.StartAsync();
        var writer = await host.ConnectAsync("ada");
        foreach (var document in new[] { "acme/b", "acme/a", "acme/c", "other/x" })
        {
            await writer.JoinAsync(document);
            await writer.PushAsync(document, new Typist(1).Type("x"));
        }

        var grants = """[{ "document": "acme/*", "access": ["read"] }]""";
        var first = await GetAsync(host, "/documents?limit=2", grants);
        var second = await GetAsync(host, "/documents?limit=2&after=" + first.GetProperty("next").GetString(), grants);

        Assert.Equal(["acme/a", "acme/b"], Names(first));
        Assert.Equal(["acme/c"], Names(second));
        Assert.Equal(["other/x"], Names(await GetAsync(host, "/documents?prefix=other", CollabTestHost.Everything)));
        Assert.Empty(Names(await GetAsync(host, "/documents", "[]")));
    }

    [Fact]
    public async Task Bad_parameters_get_a_problem_document_with_a_code_and_strangers_get_nothing()
    {
        await using var host = await CollabTestHost.StartAsync();
        using var http = new HttpClient();

        using var refused = await http.GetAsync(new Uri(host.Url + "/documents"));
        http.DefaultRequestHeaders.Add("Authorization", TestAuthentication.Header("ada", CollabTestHost.Everything));
        using var bad = await http.GetAsync(new Uri(host.Url + "/documents?limit=0"));

        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, bad.StatusCode);
        Assert.Equal("too_large", (await bad.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString());
    }

    private static async Task<JsonElement> GetAsync(CollabTestHost host, string path, string grants)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Add("Authorization", TestAuthentication.Header("ada", grants));
        return await http.GetFromJsonAsync<JsonElement>(new Uri(host.Url + path));
    }

    private static string[] Names(JsonElement list) => [.. list.GetProperty("documents").EnumerateArray().Select(name => name.GetString()!)];
}
