using Collab.Load.Servers;
using Collab.Load.Sockets;
using Collab.Load.Statistics;

namespace Collab.Load.Scenarios;

/// <summary>Connections, five to a document, that have joined and do nothing but what keeps them alive.</summary>
internal sealed class IdleScenario(double seconds, int connections) : IScenario
{
    private const int PerDocument = 5;
    private static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(15);

    public string Name => "idle";

    public void Run(ServerKind kind, SocketLoop loop, Report report)
    {
        using var server = new ServerProcess(kind);
        // The code that a connection needs is loaded by a first few, so that it does not count as theirs.
        var first = Create(loop, server, 50, "first");
        Member.JoinAll(loop, first);
        first.ForEach(static member => member.Disconnect());
        loop.PollFor(TimeSpan.FromSeconds(1));

        var before = server.Usage;
        var members = Create(loop, server, connections, "idle");
        Member.JoinAll(loop, members);
        var joined = server.Usage;
        KeepAlive(loop, members, TimeSpan.FromSeconds(5));

        var (start, begun) = (server.Usage, SocketLoop.Now);
        KeepAlive(loop, members, TimeSpan.FromSeconds(seconds));
        var (end, elapsed) = (server.Usage, (SocketLoop.Now - begun) / 1e9);
        var lost = members.Count(static member => member.IsClosed);
        members.ForEach(static member => member.Disconnect());

        report.Add($"{connections:N0} idle connections", kind.Name,
        [
            new("KB/connection", (end.ResidentBytes - before.ResidentBytes) / 1024.0 / connections),
            new("resident MB", end.ResidentBytes / 1e6),
            new("peak MB", end.PeakBytes / 1e6),
            new("idle CPU %", (end.CpuSeconds - start.CpuSeconds) / elapsed * 100),
            new("CPU µs/join", (joined.CpuSeconds - before.CpuSeconds) * 1e6 / connections),
            new("lost connections", lost),
        ]);
    }

    private static List<Member> Create(SocketLoop loop, ServerProcess server, int count, string name) =>
        [.. Enumerable.Range(0, count).Select(number => new Member(loop, server, $"{name}-{number / PerDocument}"))];

    // Evenly spread, as those of real clients are.
    private static void KeepAlive(SocketLoop loop, List<Member> members, TimeSpan time)
    {
        var start = SocketLoop.Now;
        var pause = KeepAliveInterval.TotalNanoseconds / members.Count;
        var end = start + (long)time.TotalNanoseconds;
        for (var turn = 0; SocketLoop.Now < end; turn++)
        {
            members[turn % members.Count].KeepAlive();
            var next = Math.Min(end, start + (long)(pause * (turn + 1)));
            while (SocketLoop.Now is var now && now < next)
                loop.Poll(next - now);
        }
    }
}
