using System.Collections.Concurrent;
using Collab.Server.Nodes;
using Collab.Testing.Nodes;
using Collab.Testing.Servers;

namespace Collab.Redis.Tests;

/// <summary>The backplane over a real Redis that a real sentinel watches over.</summary>
public sealed class RedisSentinelTests : BackplaneConformance, IAsyncLifetime
{
    private readonly RedisNodes _nodes = new();
    private RedisSentinel _redis = null!;

    public async Task InitializeAsync() => _redis = await RedisSentinel.StartAsync();

    public async Task DisposeAsync()
    {
        _nodes.Dispose();
        await _redis.DisposeAsync();
    }

    protected override Task<IBackplane> ConnectAsync() => _nodes.ConnectAsync(_redis.ConnectionString);

    [Fact]
    public async Task When_the_replica_has_become_the_primary_all_groups_are_heard_again_and_the_nodes_are_told()
    {
        var (a, b) = (await ConnectAsync(), await ConnectAsync());
        var heard = new ConcurrentQueue<string>();
        var restored = new TaskCompletionSource();
        a.Start((_, _) => { }, () => { });
        b.Start((group, _) => heard.Enqueue(group), () => restored.TrySetResult());
        foreach (var group in (string[])["one", "two"])
            await b.JoinAsync(group);
        await a.JoinAsync("own");

        await _redis.Primary.KillAsync();
        await restored.Task.WaitAsync(TimeSpan.FromSeconds(30));

        await RedisNodes.UntilAsync(() => a.IsConnected && b.IsConnected);
        foreach (var group in (string[])["one", "two"])
            await RedisNodes.UntilHeardAsync(a, group, heard);
    }

    [Fact]
    public async Task A_node_that_starts_while_the_sentinel_is_away_takes_part_when_it_comes()
    {
        await _redis.Sentinel.KillAsync();
        var (a, b) = (_nodes.Begin(_redis.ConnectionString), _nodes.Begin(_redis.ConnectionString));
        var heard = new ConcurrentQueue<string>();
        a.Start((_, _) => { }, () => { });
        b.Start((group, _) => heard.Enqueue(group), () => { });
        a.Publish("g", new byte[] { 1 });
        await Assert.ThrowsAsync<BackplaneUnavailableException>(async () => await b.JoinAsync("g"));

        await _redis.Sentinel.StartAgainAsync();

        await RedisNodes.UntilAsync(() => a.IsConnected && b.IsConnected);
        await b.JoinAsync("g");
        await RedisNodes.UntilHeardAsync(a, "g", heard);
    }
}
