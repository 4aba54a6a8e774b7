using System.Net;
using System.Net.WebSockets;
using Collab.Protocol;
using Collab.Testing;
using Microsoft.Extensions.Options;

namespace Collab.Server.Tests.Security;

/// <summary>The scripts of foreign pages are kept out at every door; those of the server's own and of allowed origins are not.</summary>
public sealed class OriginTests
{
    private const string Allowed = "https://app.example";
    private const string Message = """{ "event": "e", "data": 1 }""";

    private static readonly (string, string)[] Settings =
        [("Collab:AllowedOrigins:0", Allowed), ("Collab:AllowedOrigins:1", "http://localhost:3000")];

    public static TheoryData<string, string, string?> Doors { get; } = new()
    {
        { "POST", HubContract.Path + "/negotiate?negotiateVersion=1", null },
        { "GET", "/channels/c/events", null },
        { "GET", "/events?channel=c", null },
        { "GET", "/channels/c/messages?wait=0", null },
        { "POST", "/channels/c/messages", Message },
        { "GET", "/channels/c/members", null },
        { "GET", "/documents", null },
        { "POST", "/tickets", """{ "path": "/events" }""" },
    };

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task A_foreign_origin_is_refused(string method, string path, string? body)
    {
        await using var host = await CollabTestHost.StartAsync(Settings);

        using var answer = await SendAsync(host, method, path, "https://evil.example", body);

        Assert.Equal((HttpStatusCode.Forbidden, "forbidden"), (answer.StatusCode, await answer.CodeAsync()));
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        // Nothing was published.
        using var history = await host.GetAsync("/channels/c/messages?wait=0");
        Assert.Empty((await history.JsonAsync()).GetProperty("messages").EnumerateArray());
    }

    [Theory]
    [MemberData(nameof(Doors))]
    public async Task An_allowed_origin_and_the_server_s_own_are_served(string method, string path, string? body)
    {
        await using var host = await CollabTestHost.StartAsync(Settings);

        foreach (var origin in (string[])[Allowed, "http://localhost:3000", host.Url])
        {
            using var answer = await SendAsync(host, method, path, origin, body);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    [Theory]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("app.example")]
    [InlineData("http://app.example")]
    [InlineData("https://app.example:8443")]
    [InlineData("https://app.example/")]
    [InlineData("https://app.example.evil.example")]
    [InlineData("https://sub.app.example")]
    [InlineData("chrome-extension://app.example")]
    [InlineData("https://app.example, https://evil.example")]
    public async Task What_only_resembles_an_allowed_origin_is_refused(string origin)
    {
        await using var host = await CollabTestHost.StartAsync(Settings);

        using var answer = await SendAsync(host, "GET", "/documents", origin);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task Another_port_of_the_same_host_is_another_origin()
    {
        await using var host = await CollabTestHost.StartAsync(Settings);

        using var answer = await SendAsync(host, "GET", "/documents", "http://127.0.0.1:1");

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task A_page_over_https_is_the_server_s_own_when_a_proxy_in_front_ends_tls()
    {
        await using var host = await CollabTestHost.StartAsync();

        using var answer = await SendAsync(host, "GET", "/documents", host.Url.Replace("http://", "https://", StringComparison.Ordinal));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Theory]
    [InlineData(HubContract.Path + "/refresh?session=s", null)]
    [InlineData("/admin/revocations", """{ "document": "d" }""")]
    public async Task A_foreign_page_renews_and_revokes_nothing(string path, string? body)
    {
        await using var host = await CollabTestHost.StartAsync(Settings);

        using var answer = await SendAsync(host, "POST", path, "https://evil.example", body);

        Assert.Equal((HttpStatusCode.Forbidden, "forbidden"), (answer.StatusCode, await answer.CodeAsync()));
        Assert.Contains("origin", (await answer.JsonAsync()).GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cross-site", "no-cors", HttpStatusCode.Forbidden)]
    [InlineData("cross-site", "navigate", HttpStatusCode.OK)]
    [InlineData("same-site", "no-cors", HttpStatusCode.OK)]
    [InlineData("same-origin", "no-cors", HttpStatusCode.OK)]
    [InlineData("none", "navigate", HttpStatusCode.OK)]
    public async Task What_a_foreign_page_embeds_is_refused(string site, string mode, HttpStatusCode expected)
    {
        await using var host = await CollabTestHost.StartAsync();
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"{host.Url}/channels/c/messages?wait=0"));
        request.Headers.Add("Authorization", TestAuthentication.Header("ada", CollabTestHost.Everything));
        request.Headers.Add("Sec-Fetch-Site", site);
        request.Headers.Add("Sec-Fetch-Mode", mode);

        using var answer = await http.SendAsync(request);

        Assert.Equal(expected, answer.StatusCode);
    }

    [Fact]
    public async Task Programs_send_no_origin_and_are_served()
    {
        await using var host = await CollabTestHost.StartAsync();

        using var answer = await host.GetAsync("/documents");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task Health_is_told_to_everybody()
    {
        await using var host = await CollabTestHost.StartAsync();

        using var answer = await SendAsync(host, "GET", "/health/live", "https://evil.example");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task A_WebSocket_is_opened_for_allowed_origins_and_the_server_s_own_only()
    {
        await using var host = await CollabTestHost.StartAsync(Settings);

        Assert.Equal(HttpStatusCode.SwitchingProtocols, await UpgradeAsync(host, Allowed));
        Assert.Equal(HttpStatusCode.SwitchingProtocols, await UpgradeAsync(host, host.Url));
        Assert.Equal(HttpStatusCode.Forbidden, await UpgradeAsync(host, "https://evil.example"));
        Assert.Equal(HttpStatusCode.Forbidden, await UpgradeAsync(host, "null"));
    }

    [Theory]
    [InlineData("*", "Collab:AllowedOrigins must name each origin")]
    [InlineData("app.example", "'app.example' is none.")]
    [InlineData("https://app.example/", "'https://app.example/' is none.")]
    [InlineData("https://app.example/path", "'https://app.example/path' is none.")]
    [InlineData("https://app.example:443", "'https://app.example:443' is none.")]
    [InlineData("https://ada@app.example", "'https://ada@app.example' is none.")]
    [InlineData("https://*.example", "'https://*.example' is none.")]
    [InlineData("https://bücher.example", "'https://bücher.example' is none.")]
    [InlineData("ftp://app.example", "'ftp://app.example' is none.")]
    [InlineData("null", "'null' is none.")]
    public async Task What_is_no_origin_stops_the_start_with_a_sentence(string origin, string sentence)
    {
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(
            () => CollabTestHost.StartAsync([("Collab:AllowedOrigins:0", origin)]));

        Assert.Contains(sentence, refused.Message, StringComparison.Ordinal);
    }

    private static async Task<HttpResponseMessage> SendAsync(
        CollabTestHost host, string method, string path, string origin, string? body = null)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(host.Url + path));
        request.Headers.TryAddWithoutValidation("Authorization", TestAuthentication.Header("ada", CollabTestHost.Everything));
        request.Headers.TryAddWithoutValidation("Origin", origin);
        if (body is not null)
            request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        // A stream does not end.
        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    private static async Task<HttpStatusCode> UpgradeAsync(CollabTestHost host, string origin)
    {
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.SetRequestHeader("Origin", origin);
        socket.Options.SetRequestHeader("Authorization", TestAuthentication.Header("ada", CollabTestHost.Everything));
        try
        {
            await socket.ConnectAsync(new Uri(host.Url.Replace("http://", "ws://", StringComparison.Ordinal) + HubContract.Path), default);
        }
        catch (WebSocketException)
        {
            // The status tells why.
        }

        return socket.HttpStatusCode;
    }
}
