using System.Net;
using Collab.Server;
using Collab.Server.Nodes;
using Collab.Testing;
using Collab.Testing.Servers;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Redis.Tests;

/// <summary>How many connections a user may have holds for all nodes together.</summary>
public sealed class RedisSharedCountsTests : IAsyncLifetime
{
    private RedisServer _redis = null!;
    private CollabTestHost _a = null!;
    private CollabTestHost _b = null!;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        (_a, _b) = (await StartAsync(), await StartAsync());
        await UntilKnownAsync(_a);
        await UntilKnownAsync(_b);
    }

    public async Task DisposeAsync()
    {
        await _a.DisposeAsync();
        await _b.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact]
    public async Task A_user_has_no_more_connections_on_all_nodes_together_than_he_may()
    {
        var first = await _a.ConnectAsync();
        await _a.ConnectAsync();
        await _b.ConnectAsync();

        Assert.True(await IsRefusedAsync(_a));
        Assert.True(await IsRefusedAsync(_b));
        Assert.Equal(HttpStatusCode.TooManyRequests, await FollowAsync(_b));

        await first.Connection.StopAsync();
        await UntilAsync(async () => !await IsRefusedAsync(_b));
    }

    [Fact]
    public async Task Of_two_users_each_has_his_own()
    {
        for (var i = 0; i < 3; i++)
            await _a.ConnectAsync("ada");

        Assert.False(await IsRefusedAsync(_b, "ben"));
        Assert.True(await IsRefusedAsync(_b, "ada"));
    }

    [Fact]
    public async Task What_Redis_has_lost_is_told_to_it_again()
    {
        for (var i = 0; i < 3; i++)
            await _a.ConnectAsync();
        await _redis.KillAsync();
        Assert.False(await IsRefusedAsync(_b));
        await _redis.StartAgainAsync();

        await UntilAsync(() => IsRefusedAsync(_b));
    }

    private static async Task<bool> IsRefusedAsync(CollabTestHost host, string user = "ada")
    {
        await using var client = TestClient.Create(host.Url, TestAuthentication.Header(user, CollabTestHost.Everything), HttpTransportType.WebSockets, messagePack: true);
        try
        {
            await client.Connection.StartAsync();
            await client.JoinAsync("d");
            return false;
        }
        catch (Exception)
        {
            return true;
        }
    }

    private static async Task<HttpStatusCode> FollowAsync(CollabTestHost host)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Add("Authorization", TestAuthentication.Header("ada", CollabTestHost.Everything));
        using var answer = await http.GetAsync(new Uri($"{host.Url}/channels/c/events"), HttpCompletionOption.ResponseHeadersRead);
        return answer.StatusCode;
    }

    private static Task UntilKnownAsync(CollabTestHost host) =>
        UntilAsync(() => Task.FromResult(host.Services.GetRequiredService<NodeDirectory>().Ids().Count == 1));

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        for (var i = 0; i < 200; i++)
        {
            if (await condition())
                return;
            await Task.Delay(100);
        }

        Assert.Fail("It did not come to that.");
    }

    private Task<CollabTestHost> StartAsync() => CollabTestHost.StartAsync(
        [("Collab:Limits:ConnectionsPerUser", "3")], collab => collab.AddRedis(RedisNodes.ConfigurationOf(_redis.ConnectionString)));
}
