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
