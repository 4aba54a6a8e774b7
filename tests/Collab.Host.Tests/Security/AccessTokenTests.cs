using System.Net;
using Collab.Protocol;
using Collab.Testing;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;

namespace Collab.Host.Tests.Security;

/// <summary>A token in the address is taken by the hub alone, and only where the operator wants it.</summary>
public sealed class AccessTokenTests : IDisposable
{
    private const string Grants = """[{ "document": "*", "access": ["read"] }]""";

    private static readonly (string, string) Accepting = ("Collab__Security__AcceptAccessTokenInQuery", "true");

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Where_it_is_accepted_the_hub_takes_a_token_in_the_address_and_no_other_route_does()
    {
        await using var host = await HostProcess.Launch(_folder.Path, "Production", [.. Tokens.Settings, Accepting]).ReadyAsync();

        await using var connection = Connection(host, Tokens.Of(Grants));
        await connection.StartAsync();
        Assert.Equal("read", (await new TestClient(connection).JoinAsync("d")).Access);
        Assert.Equal(HttpStatusCode.Unauthorized, await GetAsync(host, "/documents", Tokens.Of(Grants)));
        Assert.Equal(HttpStatusCode.Unauthorized, await GetAsync(host, "/channels/c/events", Tokens.Of(Grants)));
        await using var forged = Connection(host, Tokens.Wrong(Grants)["another key"]);
        await Assert.ThrowsAnyAsync<Exception>(() => forged.StartAsync());
        Assert.Contains(host.Lines, line => line.Contains("AcceptAccessTokenInQuery is on", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Elsewhere_it_is_not_taken()
    {
        await using var host = await HostProcess.Launch(_folder.Path, "Production", Tokens.Settings).ReadyAsync();

        await using var connection = Connection(host, Tokens.Of(Grants));

        await Assert.ThrowsAnyAsync<Exception>(() => connection.StartAsync());
        Assert.DoesNotContain(host.Lines, line => line.Contains("AcceptAccessTokenInQuery", StringComparison.Ordinal));
    }

    [Fact]
    public async Task In_Development_who_sends_one_is_judged_by_it_and_no_guest()
    {
        await using var host = await HostProcess.Launch(_folder.Path, "Development", [.. Tokens.Settings, Accepting]).ReadyAsync();

        await using var connection = Connection(host, Tokens.Of(Grants));
        await connection.StartAsync();
        Assert.Equal("read", (await new TestClient(connection).JoinAsync("d")).Access);
        await using var forged = Connection(host, Tokens.Wrong(Grants)["another key"]);
        await Assert.ThrowsAnyAsync<Exception>(() => forged.StartAsync());
    }

    [Fact]
    public async Task A_token_in_the_cookie_that_the_operator_named_signs_in_at_every_route()
    {
        await using var host = await HostProcess.Launch(_folder.Path, "Production", [.. Tokens.Settings, ("Collab__Security__TokenCookie", "session")]).ReadyAsync();

        Assert.Equal(HttpStatusCode.OK, await GetWithCookieAsync(host, $"session={Tokens.Of(Grants)}"));
        Assert.Equal(HttpStatusCode.Unauthorized, await GetWithCookieAsync(host, $"other={Tokens.Of(Grants)}"));
        foreach (var (_, wrong) in Tokens.Wrong(Grants))
            Assert.Equal(HttpStatusCode.Unauthorized, await GetWithCookieAsync(host, $"session={wrong}"));
        Assert.Equal(HttpStatusCode.Unauthorized, await GetWithCookieAsync(host, $"session={Tokens.Of(Grants)}", "Bearer nonsense"));
    }

    [Fact]
    public async Task A_name_that_no_cookie_can_have_is_told_at_the_start()
    {
        await using var host = HostProcess.Launch(_folder.Path, "Production", [.. Tokens.Settings, ("Collab__Security__TokenCookie", "a cookie")]);

        Assert.NotEqual(0, await host.ExitAsync());
        Assert.Contains(host.Lines, line => line.Contains("Collab:Security:TokenCookie must be the name of a cookie", StringComparison.Ordinal));
    }

    private static async Task<HttpStatusCode> GetWithCookieAsync(HostProcess host, string cookie, string? authorization = null)
    {
        using var handler = new HttpClientHandler { UseCookies = false };
        using var http = new HttpClient(handler);
        http.DefaultRequestHeaders.Add("Cookie", cookie);
        if (authorization is not null)
            http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", authorization);
        using var answer = await http.GetAsync(new Uri($"{host.Url}/documents"));
        return answer.StatusCode;
    }

    // As SignalR's client in a browser sends it.
    private static HubConnection Connection(HostProcess host, string token) =>
        new HubConnectionBuilder().WithUrl($"{host.Url}{HubContract.Path}?access_token={token}", options =>
        {
            options.Transports = HttpTransportType.WebSockets;
            options.SkipNegotiation = true;
        }).Build();

    private static async Task<HttpStatusCode> GetAsync(HostProcess host, string path, string token)
    {
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri($"{host.Url}{path}?access_token={token}"));
        return answer.StatusCode;
    }
}
