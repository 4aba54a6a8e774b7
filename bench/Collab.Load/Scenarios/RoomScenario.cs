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
    private const int Refinements = 2;
    private const double MaxRate = 480 * 512;
    private static readonly double[] EqualRates = [480, 1229];

    public string Name => "room";

    public void Run(ServerKind kind, SocketLoop loop, Report report)
    {
        using (var server = new ServerProcess(kind))
        {
            Measure(loop, server, EqualRates[0], warmUp: 4, seconds: 0.1); // only to warm up
            foreach (var rate in EqualRates)
                report.Add($"{Title}, {rate:0} updates/s", kind.Name, Measure(loop, server, rate, 1, seconds).Figures);
        }

        var (carried, refused) = (EqualRates[^1], double.PositiveInfinity);
        TrafficResult? best = null;
        for (var step = 0; step < Refinements || double.IsPositiveInfinity(refused);)
        {
            // Each attempt has a server of its own, warmed up by light traffic: what an overload leaves behind would spoil the next.
            using var server = new ServerProcess(kind);
            Measure(loop, server, EqualRates[0], warmUp: 4, seconds: 0.1);
            do
            {
                var rate = double.IsPositiveInfinity(refused) ? carried * 2 : Math.Sqrt(carried * refused);
                var result = Measure(loop, server, rate, warmUp: 3, seconds / 2);
                Console.Error.WriteLine(
                    $"  {kind}: {rate:0}/s {(result.IsCarried ? "carried" : "not carried")}: sent {result.Sent:0}/s, p99 {result.DeliveryP99:0} ms, lost {result.Lost}, "
                    + $"server {result.ServerCpu:0} %, generator {result.GeneratorCpu:0} % {result.Fault}");
                if (!double.IsPositiveInfinity(refused))
                    step++;
                if (!result.IsCarried)
                {
                    refused = rate;
                    break;
                }

                (carried, best) = (rate, result);
            }
            while (carried < MaxRate && step < Refinements);
            if (carried >= MaxRate)
                break;
        }

        if (best is not null)
            report.Add($"{Title}, highest rate with p99 ≤ {TrafficResult.MaxDeliveryP99:0} ms", kind.Name, best.Figures);
    }

    private string Title => writers == Members ? $"One room of {Members}" : $"One room of {Members}, {writers} of them writing";

    private TrafficResult Measure(SocketLoop loop, ServerProcess server, double rate, double warmUp, double seconds) =>
        new Traffic(new TrafficPlan(1, Members, writers, rate, warmUp, seconds), loop, server).Run();
}
