using System.Collections.Concurrent;
using Collab.Server.Nodes;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace Collab.Redis.Tests;

/// <summary>The backplanes of nodes, each with a connection of its own to Redis.</summary>
internal sealed class RedisNodes : IDisposable
{
    private readonly List<IDisposable> _nodes = [];

    /// <summary>Makes one more, which may not be connected yet.</summary>
    public RedisBackplane Begin(string connectionString)
    {
        var redis = new SharedRedis(ConfigurationOf(connectionString), NullLoggerFactory.Instance);
        var backplane = new RedisBackplane(redis, NullLoggerFactory.Instance);
        _nodes.Add(backplane);
        _nodes.Add(redis);
        return backplane;
    }

    /// <summary>Makes one more and waits until it is connected.</summary>
    public async Task<IBackplane> ConnectAsync(string connectionString)
    {
        var backplane = Begin(connectionString);
        await UntilAsync(() => backplane.IsConnected);
        return backplane;
    }

    public void Dispose() => _nodes.ForEach(node => node.Dispose());

    public static IConfiguration ConfigurationOf(string connectionString) => new ConfigurationBuilder()
        .AddInMemoryCollection([KeyValuePair.Create("ConnectionStrings:Redis", (string?)connectionString)]).Build();

    /// <summary>Says something to a group again and again until it is among those in which something was heard.</summary>
    public static Task UntilHeardAsync(IBackplane from, string group, ConcurrentQueue<string> heard) => UntilAsync(() =>
    {
        from.Publish(group, new byte[] { 2 });
        return heard.Contains(group);
    });

    public static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition())
            await Task.Delay(50, patience.Token);
    }
}
