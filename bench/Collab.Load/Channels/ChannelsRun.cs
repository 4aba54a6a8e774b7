using System.Net.Sockets;
using Collab.Load.Scenarios;
using Collab.Load.Servers;
using Collab.Load.Sockets;
using Collab.Load.Statistics;

namespace Collab.Load.Channels;

/// <summary>
/// The benchmark of channels: one room of 1,000 readers and ten publishers at equal loads, at the highest rate that is carried and at half
/// of it; readers who only wait; and what of the targets is met.
/// </summary>
internal sealed class ChannelsRun(double seconds, SocketLoop loop, Report report)
{
    public const string Highest = "One room of 1,000, highest rate with p99 ≤ 250 ms";
    public const string Half = "One room of 1,000, half of the highest rate";
    public const string Idle = "Idle readers";
    public const string ManyPolls = "10,000 idle long polls";

    private const int Readers = 1000;
    private const int Publishers = 10;
    private const double MaxRate = 25_600;
    private static readonly double[] EqualRates = [10, 50];

    /// <summary>The rate at which all are compared: the highest of the equal ones that everybody should carry.</summary>
    public static string Equal => EqualTitle(EqualRates[^1]);

    /// <returns>The exit code.</returns>
    public static int Run(IReadOnlyList<string> names, int repeat, double seconds)
    {
        var chosen = names.Count == 0 ? Contender.All : Array.FindAll(Contender.All, contender => names.Contains(contender.Name));
        if (names.Count > 0 && chosen.Length != names.Count)
        {
            Console.Error.WriteLine($"the contenders are {string.Join(", ", (IEnumerable<Contender>)Contender.All)}");
            return 2;
        }

        var report = new Report();
        var run = new ChannelsRun(seconds, new SocketLoop(), report);
        var failed = false;
        // All take turns within each repeat, so that a change of the machine's mood meets them all.
        for (var round = 0; round < repeat; round++)
        {
            foreach (var part in (Action<Contender>[])[run.EqualLoad, run.Saturation, run.IdleReadersOf])
            {
                foreach (var contender in chosen)
                    failed |= !Try(part, contender);
            }
        }

        Console.WriteLine(report.ToMarkdown(null));
        Console.WriteLine(Targets.ToMarkdown(report));
        return failed ? 1 : 0;
    }

    private static bool Try(Action<Contender> part, Contender contender)
    {
        try
        {
            part(contender);
            return true;
        }
        catch (Exception e) when (e is InvalidOperationException or SocketException or InvalidDataException)
        {
            Console.Error.WriteLine($"{contender} | failed: {e.Message}");
            return false;
        }
    }

    private static string EqualTitle(double rate) => $"One room of 1,000, {rate:0} messages/s";

    private void EqualLoad(Contender contender)
    {
        using var server = new ServerProcess(contender.Server);
        // Long enough for all that is compiled while it runs.
        WarmUp(contender, server, 20);
        foreach (var rate in EqualRates)
            Add(EqualTitle(rate), contender, Measure(contender, server, rate, warmUp: 4, seconds));
    }

    /// <summary>Finds the highest rate that is carried, and measures half of it.</summary>
    private void Saturation(Contender contender)
    {
        var highest = RateSearch.Highest(contender.Name, EqualRates[0], MaxRate, rate =>
        {
            // Each attempt has a server of its own: what an overload leaves behind would spoil the next.
            using var server = new ServerProcess(contender.Server);
            WarmUp(contender, server);
            return Measure(contender, server, rate, warmUp: 2, seconds / 2);
        });
        if (highest is not { Rate: var carried, Result: var best })
            return;
        Add(Highest, contender, best);
        using var quiet = new ServerProcess(contender.Server);
        WarmUp(contender, quiet);
        Add(Half, contender, Measure(contender, quiet, carried / 2, warmUp: 2, seconds));
    }

    private void IdleReadersOf(Contender contender)
    {
        report.Add(Idle, contender.Name, IdleReaders.Measure(contender, 2000, seconds, loop));
        if (contender == Contender.LongPolls)
            report.Add(ManyPolls, contender.Name, IdleReaders.Measure(contender, 10_000, 3 * seconds, loop));
    }

    private void WarmUp(Contender contender, ServerProcess server, double seconds = 4) =>
        Measure(contender, server, EqualRates[^1], warmUp: seconds, seconds: 0.1);

    private TrafficResult Measure(Contender contender, ServerProcess server, double rate, double warmUp, double seconds) =>
        new ChannelTraffic(new ChannelPlan(Readers, Publishers, rate, warmUp, seconds), contender, loop, server).Run();

    private void Add(string scenario, Contender contender, TrafficResult result)
    {
        report.Add(scenario, contender.Name, [.. result.Figures, new("out of order", result.Disordered), new(Targets.Efficiency, 1e6 / result.CpuPerDelivery)]);
        if (result.Fault is not null)
            Console.Error.WriteLine($"  {contender}: {result.Fault}");
    }
}
