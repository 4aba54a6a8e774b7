using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Collab.Testing;
using Collab.Testing.Proxies;
using Collab.Testing.Servers;

namespace Collab.Host.Tests.Scaleout;

/// <summary>Three real servers with one Redis and one Postgres, and what can happen to them.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    public const int Nodes = 3;

    private readonly HostProcess[] _hosts = new HostProcess[Nodes];
    private readonly int[] _ports = [.. Enumerable.Range(0, Nodes).Select(_ => TcpRelay.FreePort())];
    private readonly TcpRelay[] _toNodes;
    private readonly TcpRelay _toRedis;

    private readonly (string, string)[] _settings;

    private Cluster(RedisServer redis, PostgresServer postgres, (string, string)[] settings)
    {
        (Redis, Postgres, _settings) = (redis, postgres, settings);
        _toRedis = new TcpRelay(redis.Port);
        _toNodes = [.. _ports.Select(port => new TcpRelay(port))];
    }

    public RedisServer Redis { get; }

    public PostgresServer Postgres { get; }

    /// <summary>The ports of the nodes.</summary>
    public IReadOnlyList<int> Ports => _ports;

    /// <summary>Where clients find the nodes, over connections that can be cut; a node that is started again has the same address.</summary>
    public IReadOnlyList<string> Urls => [.. _toNodes.Select(relay => relay.Url)];

    /// <summary>All that the nodes have logged since they were started last.</summary>
    public IEnumerable<string> Lines => _hosts.SelectMany(host => host.Lines);

    /// <summary>The first node that has logged something since it was started last; null when none has.</summary>
    public int? NodeThatSaid(string text)
    {
        var node = Array.FindIndex(_hosts, host => host.Lines.Any(line => line.Contains(text, StringComparison.Ordinal)));
        return node < 0 ? null : node;
    }

    /// <summary>Starts it.</summary>
    /// <param name="settings">Settings of all nodes, given in the environment.</param>
    /// <param name="sql">What is done in the database before.</param>
    public static async Task<Cluster> StartAsync((string, string)[]? settings = null, string sql = "SELECT 1")
    {
        var cluster = new Cluster(await RedisServer.StartAsync(), await PostgresServer.StartAsync("wal_level=logical"), settings ?? []);
        await cluster.Postgres.RunSqlAsync("postgres", sql);
        for (var i = 0; i < Nodes; i++)
            await cluster.StartAsync(i);
        return cluster;
    }

    /// <summary>Cuts the connections between nodes and Redis.</summary>
    public void CutFromRedis() => _toRedis.CutAll();

    /// <summary>Cuts the connections between clients and nodes.</summary>
    public void CutClients() => Array.ForEach(_toNodes, relay => relay.CutAll());

    /// <summary>Ends a node without a word and starts it again.</summary>
    public async Task CrashAsync(int node)
    {
        await _hosts[node].KillAsync();
        await StartAsync(node);
    }

    /// <summary>Stops a node as an update does, and starts it again.</summary>
    public async Task RestartAsync(int node)
    {
        await _hosts[node].TerminateAsync();
        await StartAsync(node);
    }

    /// <summary>Stops a node and starts it again with a clock that goes ahead or behind by so much; then and from then on the right way.</summary>
    public async Task SkewClockAsync(int node, TimeSpan by, TimeSpan duration)
    {
        await _hosts[node].TerminateAsync();
        await StartAsync(node, by);
        await Task.Delay(duration);
        await RestartAsync(node);
    }

    /// <summary>What a node says of itself.</summary>
    public async Task<JsonElement> StatusAsync(int node)
    {
        using var http = new HttpClient();
        using var status = JsonDocument.Parse(await http.GetStringAsync(new Uri($"http://127.0.0.1:{_ports[node]}/admin/status")));
        return status.RootElement.Clone();
    }

    /// <summary>Lets a node do nothing for a while.</summary>
    public async Task PauseAsync(int node, TimeSpan duration)
    {
        await SignalAsync(node, "STOP");
        await Task.Delay(duration);
        await SignalAsync(node, "CONT");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts.Where(host => host is not null))
            await host.DisposeAsync();
        await _toRedis.DisposeAsync();
        foreach (var relay in _toNodes)
            await relay.DisposeAsync();
        await Redis.DisposeAsync();
        await Postgres.DisposeAsync();
    }

    private async Task StartAsync(int node, TimeSpan skew = default)
    {
        if (_hosts[node] is { } former)
            await former.DisposeAsync();
        _hosts[node] = await HostProcess.Launch(
            dataDirectory: null,
            settings:
            [
                ("ConnectionStrings__Postgres", Postgres.ConnectionString("postgres")),
                ("ConnectionStrings__Redis", $"127.0.0.1:{_toRedis.Port}"),
                .. _settings,
                .. skew == default ? [] : AnotherClock(skew),
            ],
            arguments: ["--urls", $"http://127.0.0.1:{_ports[node]}"]).ReadyAsync();
    }

    // Debian's package faketime. Only the time of day is another: waiting takes as long as ever.
    private static (string, string)[] AnotherClock(TimeSpan skew) =>
    [
        ("LD_PRELOAD", Directory.GetDirectories("/usr/lib", "*-linux-gnu").Select(directory => $"{directory}/faketime/libfaketimeMT.so.1").First(File.Exists)),
        ("FAKETIME", string.Create(CultureInfo.InvariantCulture, $"{skew.TotalSeconds:+0;-0}s")),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];

    private async Task SignalAsync(int node, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_hosts[node].Id}"]);
        await kill.WaitForExitAsync();
    }
}
