using System.Collections.Concurrent;
using Collab.Server.Nodes;
using Collab.Testing.Nodes;
using Collab.Testing.Servers;

namespace Collab.Redis.Tests;

/// <summary>The backplane over a real Redis, also when that goes away.</summary>
public sealed class RedisBackplaneTests : BackplaneConformance, IAsyncLifetime
{
    private readonly RedisNodes _nodes = new();
    private RedisServer _redis = null!;

    public async Task InitializeAsync() => _redis = await RedisServer.StartAsync();

    public async Task DisposeAsync()
    {
        _nodes.Dispose();
        await _redis.DisposeAsync();
    }

    protected override Task<IBackplane> ConnectAsync() => _nodes.ConnectAsync(_redis.ConnectionString);

    [Fact]
    public async Task After_Redis_was_away_all_groups_are_heard_again_and_the_node_is_told()
    {
        var (a, b) = (await ConnectAsync(), await ConnectAsync());
        var heard = new ConcurrentQueue<string>();
        var restored = new TaskCompletionSource();
        a.Start((_, _) => { }, () => { });
        b.Start((group, _) => heard.Enqueue(group), () => restored.TrySetResult());
        foreach (var group in (string[])["one", "two"])
            await b.JoinAsync(group);
        await a.JoinAsync("three");

        await _redis.KillAsync();
        await RedisNodes.UntilAsync(() => !a.IsConnected && !b.IsConnected);
        a.Publish("one", new byte[] { 1 });
        await Assert.ThrowsAsync<BackplaneUnavailableException>(async () => await b.JoinAsync("three"));
        await _redis.StartAgainAsync();
        await restored.Task.WaitAsync(TimeSpan.FromSeconds(30));

        await RedisNodes.UntilAsync(() => a.IsConnected && b.IsConnected);
        await b.JoinAsync("three");
        foreach (var group in (string[])["one", "two", "three"])
            await RedisNodes.UntilHeardAsync(a, group, heard);
    }

    [Fact]
    public async Task A_node_that_starts_while_Redis_is_away_takes_part_when_it_comes()
    {
        await _redis.KillAsync();
        var (a, b) = (_nodes.Begin(_redis.ConnectionString), _nodes.Begin(_redis.ConnectionString));
        var heard = new ConcurrentQueue<string>();
        a.Start((_, _) => { }, () => { });
        b.Start((group, _) => heard.Enqueue(group), () => { });
        a.Publish("g", new byte[] { 1 });
        await Assert.ThrowsAsync<BackplaneUnavailableException>(async () => await b.JoinAsync("g"));

        await _redis.StartAgainAsync();

        await RedisNodes.UntilAsync(() => a.IsConnected && b.IsConnected);
        await a.JoinAsync("own");
        await b.JoinAsync("g");
        await RedisNodes.UntilHeardAsync(a, "g", heard);
    }

    [Fact]
    public async Task Services_with_other_prefixes_do_not_hear_each_other()
    {
        var (a, b, other) = (await ConnectAsync(), await ConnectAsync(), _nodes.Begin(_redis.ConnectionString + ",channelPrefix=other"));
        var heard = new ConcurrentQueue<string>();
        a.Start((_, _) => { }, () => { });
        b.Start((_, _) => heard.Enqueue("b"), () => { });
        other.Start((_, _) => heard.Enqueue("other"), () => { });
        foreach (var node in (IBackplane[])[a, b, other])
            await node.JoinAsync("g");

        a.Publish("g", new byte[] { 1 });
        await RedisNodes.UntilAsync(() => !heard.IsEmpty);
        await Task.Delay(200);

        Assert.Equal(["b"], heard);
    }
}
