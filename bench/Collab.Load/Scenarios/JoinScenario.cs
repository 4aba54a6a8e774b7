using Collab.Load.Servers;
using Collab.Load.Sockets;
using Collab.Load.Statistics;
using Collab.Load.Updates;

namespace Collab.Load.Scenarios;

/// <summary>50 clients that have nothing ask for the same 1 MB document at the same moment.</summary>
internal sealed class JoinScenario : IScenario
{
    private const int Joiners = 50;
    private const string Document = "large";

    public string Name => "join";

    public void Run(ServerKind kind, SocketLoop loop, Report report)
    {
        using var server = new ServerProcess(kind);
        var pieces = UpdateWriter.WriteDocument(1_000_000, out var characters);
        // Two stay for the whole run: one writes, and when the other has it all the server has.
        var writer = new Joiner(loop, server, characters);
        var reader = new Joiner(loop, server, characters);
        Member.JoinAll(loop, [writer, reader]);
        for (var piece = 0; piece < pieces.Count; piece++)
        {
            writer.Push(piece, pieces[piece]);
            loop.PollFor(TimeSpan.FromMilliseconds(10));
        }

        if (!loop.PollUntil(() => reader.HasAll, TimeSpan.FromSeconds(30)))
            throw new InvalidOperationException($"{kind} has not taken the document: {writer.Fault ?? reader.Fault ?? "no answer"}");
        loop.PollFor(TimeSpan.FromSeconds(4)); // time to store and compact

        var joiners = Enumerable.Range(0, Joiners).Select(_ => new Joiner(loop, server, characters)).ToList();
        Member.ConnectAll(loop, joiners);
        loop.PollFor(TimeSpan.FromMilliseconds(500));
        server.ResetPeak();
        var (before, start) = (server.Usage, SocketLoop.Now);
        joiners.ForEach(static joiner => joiner.Join());
        loop.PollUntil(() => joiners.TrueForAll(static joiner => joiner.HasAll), TimeSpan.FromSeconds(60));
        var after = server.Usage;

        var times = new Histogram();
        foreach (var joiner in joiners.Where(static joiner => joiner.HasAll))
            times.Add(joiner.CompletedAt - start);
        report.Add($"Cold join of a 1 MB document by {Joiners} at once", kind.Name,
        [
            new("all have it, ms", joiners.Max(joiner => joiner.CompletedAt - start) / 1e6),
            new("half have it, ms", times.Percentile(0.5)),
            new("CPU ms/joiner", (after.CpuSeconds - before.CpuSeconds) * 1000 / Joiners),
            new("KB/joiner", joiners.Average(static joiner => joiner.Bytes) / 1e3),
            new("peak MB", after.PeakBytes / 1e6),
            new("without it", joiners.Count(static joiner => !joiner.HasAll)),
        ]);
        foreach (var member in (Joiner[])[writer, reader, .. joiners])
            member.Disconnect();
    }

    private sealed class Joiner(SocketLoop loop, ServerProcess server, long characters) : Member(loop, server, Document)
    {
        private long _received;

        public bool HasAll => _received >= characters;

        public long CompletedAt { get; private set; }

        public long Bytes { get; private set; }

        protected override void OnUpdated(ReadOnlySpan<byte> update)
        {
            Bytes += update.Length;
            var ranges = new UpdateRanges(update);
            while (ranges.Next())
                _received += ranges.End - ranges.Start;
            CompletedAt = SocketLoop.Now;
        }
    }
}
