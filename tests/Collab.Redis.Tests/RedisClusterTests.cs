using System.Collections.Concurrent;
using System.Net;
using Collab.Server;
using Collab.Server.Nodes;
using Collab.Testing;
using Collab.Testing.Nodes;
using Collab.Testing.Servers;

namespace Collab.Redis.Tests;

/// <summary>The backplane and what nodes share over a real Redis Cluster, one server of which dies.</summary>
public sealed class RedisClusterTests : BackplaneConformance, IAsyncLifetime
{
    private readonly RedisNodes _nodes = new();
    private RedisCluster _cluster = null!;

    public async Task InitializeAsync() => _cluster = await RedisCluster.StartAsync();

    public async Task DisposeAsync()
    {
        _nodes.Dispose();
        await _cluster.DisposeAsync();
    }

    protected override Task<IBackplane> ConnectAsync() => _nodes.ConnectAsync(_cluster.ConnectionString);

    [Fact]
    public async Task When_a_server_of_the_cluster_has_died_all_groups_are_heard_again()
    {
        var (a, b) = (await ConnectAsync(), await ConnectAsync());
        var heard = new ConcurrentQueue<string>();
        a.Start((_, _) => { }, () => { });
        b.Start((group, _) => heard.Enqueue(group), () => { });
        var groups = Enumerable.Range(0, 20).Select(i => $"group {i}").ToArray();
        foreach (var group in groups)
            await b.JoinAsync(group);
        await a.JoinAsync("own");

        await _cluster.First.KillAsync();
        await Task.Delay(1_500);
        heard.Clear();

        foreach (var group in groups)
            await RedisNodes.UntilHeardAsync(a, group, heard);
    }

    [Fact]
    public async Task Tickets_of_one_node_open_the_other_wherever_in_the_cluster_they_are_also_after_a_server_has_died()
    {
        await using var a = await StartAsync();
        await using var b = await StartAsync();
        await AssertTicketsAsync(a, b);

        await _cluster.First.KillAsync();
        await UntilTakenOverAsync(a, b);

        await AssertTicketsAsync(a, b);
    }

    private static async Task AssertTicketsAsync(CollabTestHost a, CollabTestHost b)
    {
        // Enough that each server of the cluster has some.
        for (var i = 0; i < 20; i++)
            Assert.Equal([HttpStatusCode.OK, HttpStatusCode.Unauthorized], await SellAndUseAsync(a, b));
    }

    private static async Task<HttpStatusCode[]> SellAndUseAsync(CollabTestHost a, CollabTestHost b)
    {
        var ticket = await a.TicketAsync(RedisTicketTests.Path);
        return [await RedisTicketTests.UseAsync(b, ticket), await RedisTicketTests.UseAsync(a, ticket)];
    }

    /// <summary>Waits until both nodes reach a server for every key: the replica has become what the dead one was.</summary>
    private static async Task UntilTakenOverAsync(CollabTestHost a, CollabTestHost b)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        for (var good = 0; good < 20;)
        {
            try
            {
                good = (await SellAndUseAsync(a, b))[0] is HttpStatusCode.OK ? good + 1 : 0;
            }
            catch (HttpRequestException)
            {
                good = 0;
            }

            if (good == 0)
                await Task.Delay(100, patience.Token);
        }
    }

    private Task<CollabTestHost> StartAsync() =>
        CollabTestHost.StartAsync(configure: collab => collab.AddRedis(RedisNodes.ConfigurationOf(_cluster.ConnectionString)));
}
