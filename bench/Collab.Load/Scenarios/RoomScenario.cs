using Collab.Load.Servers;
using Collab.Load.Sockets;
using Collab.Load.Statistics;

namespace Collab.Load.Scenarios;

/// <summary>
/// One room of 100 clients: at equal loads, and then the highest rate that is carried (nothing lost, p99 of delivery within 250 ms),
/// found by doubling and then halving the gap.
/// </summary>
internal sealed class RoomScenario(double seconds, int writers) : IScenario
{
    private const int Members = 100;
    private const double MaxRate = 480 * 512;
    private static readonly double[] EqualRates = [480, 1229];

    public string Name => "room";

    public void Run(ServerKind kind, SocketLoop loop, Report report)
    {
        using (var server = WarmedUp(kind, loop))
        {
            foreach (var rate in EqualRates)
                report.Add($"{Title}, {rate:0} updates/s", kind.Name, Measure(loop, server, rate, 1, seconds).Figures);
        }

        // An overloaded server is not used again: what it leaves behind would spoil the next attempt.
        ServerProcess? used = null;
        try
        {
            var highest = RateSearch.Highest(kind.Name, EqualRates[^1], MaxRate, rate =>
            {
                used ??= WarmedUp(kind, loop);
                var result = Measure(loop, used, rate, warmUp: 3, seconds / 2);
                if (!result.IsCarried)
                {
                    used.Dispose();
                    used = null;
                }

                return result;
            });
            if (highest is { Result: var best })
                report.Add($"{Title}, highest rate with p99 ≤ {TrafficResult.MaxDeliveryP99:0} ms", kind.Name, best.Figures);
        }
        finally
        {
            used?.Dispose();
        }
    }

    private ServerProcess WarmedUp(ServerKind kind, SocketLoop loop)
    {
        var server = new ServerProcess(kind);
        Measure(loop, server, EqualRates[0], warmUp: 4, seconds: 0.1);
        return server;
    }

    private string Title => writers == Members ? $"One room of {Members}" : $"One room of {Members}, {writers} of them writing";

    private TrafficResult Measure(SocketLoop loop, ServerProcess server, double rate, double warmUp, double seconds) =>
        new Traffic(new TrafficPlan(1, Members, writers, rate, warmUp, seconds), loop, server).Run();
}
