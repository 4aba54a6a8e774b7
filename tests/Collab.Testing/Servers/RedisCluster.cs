namespace Collab.Testing.Servers;

/// <summary>A real Redis Cluster on loopback: three servers that share the keys, and a replica of the first.</summary>
public sealed class RedisCluster : IAsyncDisposable
{
    private const int Slots = 16_384;

    private readonly List<RedisServer> _servers = [];

    private RedisCluster()
    {
    }

    /// <summary>Who has a third of the keys, and a replica.</summary>
    public RedisServer First => _servers[0];

    /// <summary>For <c>ConnectionStrings:Redis</c>.</summary>
    public string ConnectionString => string.Join(',', _servers.Select(server => server.ConnectionString));

    public static async Task<RedisCluster> StartAsync()
    {
        var cluster = new RedisCluster();
        var busPorts = new List<int>();
        for (var i = 0; i < 4; i++)
        {
            busPorts.Add(Proxies.TcpRelay.FreePort());
            cluster._servers.Add(await RedisServer.StartAsync("--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", $"{busPorts[i]}"));
        }

        for (var i = 0; i < 4; i++)
            await cluster.First.CallAsync("CLUSTER", "MEET", "127.0.0.1", $"{cluster._servers[i].Port}", $"{busPorts[i]}");
        for (var i = 0; i < 3; i++)
            await cluster._servers[i].CallAsync("CLUSTER", "ADDSLOTSRANGE", $"{i * Slots / 3}", $"{((i + 1) * Slots / 3) - 1}");
        var id = await cluster.First.CallAsync("CLUSTER", "MYID");
        await UntilAsync(async () => await cluster._servers[3].CallAsync("CLUSTER", "REPLICATE", id) is "OK");
        await UntilAsync(async () =>
        {
            var states = await Task.WhenAll(cluster._servers.Select(server => server.CallAsync("CLUSTER", "INFO")));
            return states.All(state => state.Contains("cluster_state:ok", StringComparison.Ordinal));
        });
        await UntilAsync(async () => (await cluster._servers[3].CallAsync("INFO", "replication")).Contains("master_link_status:up", StringComparison.Ordinal));
        return cluster;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
            await server.DisposeAsync();
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await condition())
            await Task.Delay(50, patience.Token);
    }
}
