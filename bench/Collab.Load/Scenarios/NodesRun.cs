using System.Net.Sockets;
using Collab.Load.Servers;
using Collab.Load.Sockets;
using Collab.Load.Statistics;
using Collab.Testing.Servers;

namespace Collab.Load.Scenarios;

/// <summary>
/// What the backplane costs: the same work for one node with Postgres, and for two with Postgres and Redis between which the members of
/// each room are spread evenly.
/// </summary>
internal sealed class NodesRun(double seconds, SocketLoop loop, Report report)
{
    private const string OneNode = "one node";
    private const string TwoNodes = "two nodes";
    private const double WarmUp = 10;

    private static readonly (string Title, TrafficPlan Plan)[] Loads =
    [
        ("One room of 100, 480 updates/s", new TrafficPlan(1, 100, 100, 480, WarmUp: 3, 0)),
        ("One room of 100, 1,229 updates/s", new TrafficPlan(1, 100, 100, 1229, WarmUp: 3, 0)),
        ("200 rooms of 5, 10 updates/s each", new TrafficPlan(200, 5, 5, 2000, WarmUp: 3, 0)),
    ];

    /// <returns>The exit code.</returns>
    public static int Run(int repeat, double seconds)
    {
        var report = new Report();
        var run = new NodesRun(seconds, new SocketLoop(), report);
        var failed = false;
        for (var round = 0; round < repeat; round++)
        {
            foreach (var nodes in (int[])[1, 2])
            {
                try
                {
                    run.Measure(nodes);
                }
                catch (Exception e) when (e is InvalidOperationException or SocketException or InvalidDataException)
                {
                    failed = true;
                    Console.Error.WriteLine($"{nodes} nodes | failed: {e.Message}");
                }
            }
        }

        Console.WriteLine(report.ToMarkdown(TwoNodes));
        return failed ? 1 : 0;
    }

    private void Measure(int nodes)
    {
        var postgres = PostgresServer.StartAsync().GetAwaiter().GetResult();
        var redis = RedisServer.StartAsync().GetAwaiter().GetResult();
        var servers = new List<ServerProcess>();
        try
        {
            var kind = KindOf(postgres, nodes == 1 ? null : redis);
            for (var node = 0; node < nodes; node++)
                servers.Add(new ServerProcess(kind));
            // Two processes take twice as long to compile their code: all of it once before it counts.
            foreach (var (_, plan) in Loads)
                new Traffic(plan with { Duration = WarmUp }, loop, servers).Run();
            foreach (var (title, plan) in Loads)
            {
                var (redisBefore, postgresBefore) = (ProcessUsage.OfTree(redis.Id), ProcessUsage.OfTree(postgres.Id));
                var result = new Traffic(plan with { Duration = seconds }, loop, servers).Run();
                if (result.Fault is { } fault)
                    Console.Error.WriteLine($"{kind} | a member's fault: {fault}");
                // The warming up is traffic of the same kind.
                var deliveries = result.Delivered * (plan.WarmUp + seconds);
                report.Add(title, kind.Name,
                [
                    .. result.Figures,
                    new("Redis CPU µs/delivery", (ProcessUsage.OfTree(redis.Id).CpuSeconds - redisBefore.CpuSeconds) * 1e6 / deliveries),
                    new("Postgres CPU µs/delivery", (ProcessUsage.OfTree(postgres.Id).CpuSeconds - postgresBefore.CpuSeconds) * 1e6 / deliveries),
                ]);
            }
        }
        finally
        {
            servers.ForEach(server => server.Dispose());
            redis.DisposeAsync().AsTask().GetAwaiter().GetResult();
            postgres.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private static ServerKind KindOf(PostgresServer postgres, RedisServer? redis) => ServerKind.Collab with
    {
        Name = redis is null ? OneNode : TwoNodes,
        Environment = (port, data) =>
        {
            var settings = ServerKind.Collab.Environment(port, data);
            settings["ConnectionStrings__Postgres"] = postgres.ConnectionString("postgres");
            if (redis is not null)
                settings["ConnectionStrings__Redis"] = redis.ConnectionString;
            return settings;
        },
    };
}
