using Collab.Load.Servers;
using Collab.Load.Sockets;
using Collab.Load.Statistics;

namespace Collab.Load.Channels;

/// <summary>Readers of one channel in which nothing is published: what each holds in memory, and what all cost while they wait.</summary>
internal static class IdleReaders
{
    private const int PingsEvery = 10;

    public static IEnumerable<Figure> Measure(Contender contender, int count, double seconds, SocketLoop loop)
    {
        using var server = new ServerProcess(contender.Server);
        var feed = new Feed(loop, server.Port, "idle", new Arrivals(static _ => 0));
        // The code that a reader needs is loaded by a first few, so that it does not count as theirs.
        var first = Connect(50);
        first.ForEach(static reader => reader.Disconnect());
        loop.PollFor(TimeSpan.FromSeconds(1));

        var before = server.Usage;
        server.ResetPeak();
        var readers = Connect(count);
        var connected = server.Usage;
        Wait(3);
        var (start, begun) = (server.Usage, SocketLoop.Now);
        Wait(seconds);
        var (end, elapsed) = (server.Usage, (SocketLoop.Now - begun) / 1e9);
        readers.ForEach(static reader => reader.Disconnect());
        return
        [
            new("readers", count),
            new("KB/reader", (end.ResidentBytes - before.ResidentBytes) / 1024.0 / count),
            new("resident MB", end.ResidentBytes / 1e6),
            new("peak MB", end.PeakBytes / 1e6),
            new("idle CPU %", (end.CpuSeconds - start.CpuSeconds) / elapsed * 100),
            new("CPU µs/join", (connected.CpuSeconds - before.CpuSeconds) * 1e6 / count),
            new("lost", readers.Count(static reader => reader.Fault is not null)),
        ];

        List<Reader> Connect(int some)
        {
            var made = Enumerable.Range(0, some).Select(_ => contender.Reader(feed)).ToList();
            Reader.ConnectAll(loop, made);
            return made;
        }

        void Wait(double some)
        {
            var (from, turn) = (SocketLoop.Now, 0);
            while ((SocketLoop.Now - from) / 1e9 is var passed && passed < some)
            {
                for (; turn < passed / PingsEvery * readers.Count; turn++)
                    readers[turn % readers.Count].KeepAlive();
                loop.Poll(10_000_000);
            }
        }
    }
}
