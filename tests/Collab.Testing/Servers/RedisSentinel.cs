namespace Collab.Testing.Servers;

/// <summary>A real Redis on loopback with a replica, which a sentinel makes the primary when that is away.</summary>
public sealed class RedisSentinel : IAsyncDisposable
{
    private const string Service = "collab";

    private RedisSentinel(RedisServer primary, RedisServer replica, RedisServer sentinel) =>
        (Primary, Replica, Sentinel) = (primary, replica, sentinel);

    /// <summary>The primary at the start.</summary>
    public RedisServer Primary { get; }

    public RedisServer Replica { get; }

    public RedisServer Sentinel { get; }

    /// <summary>For <c>ConnectionStrings:Redis</c>: nobody is told where the primary is but the sentinel.</summary>
    public string ConnectionString => $"{Sentinel.ConnectionString},serviceName={Service}";

    public static async Task<RedisSentinel> StartAsync()
    {
        var primary = await RedisServer.StartAsync();
        var replica = await RedisServer.StartAsync("--replicaof", $"127.0.0.1 {primary.Port}");
        var sentinel = await RedisServer.StartSentinelAsync(
            $"sentinel monitor {Service} 127.0.0.1 {primary.Port} 1",
            $"sentinel down-after-milliseconds {Service} 1000",
            $"sentinel failover-timeout {Service} 5000");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!(await sentinel.CallAsync("SENTINEL", "REPLICAS", Service)).Contains($"{replica.Port}", StringComparison.Ordinal))
            await Task.Delay(50, patience.Token);
        return new(primary, replica, sentinel);
    }

    public async ValueTask DisposeAsync()
    {
        await Sentinel.DisposeAsync();
        await Replica.DisposeAsync();
        await Primary.DisposeAsync();
    }
}
