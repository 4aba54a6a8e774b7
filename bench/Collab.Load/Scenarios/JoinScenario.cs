using Collab.Load.Servers;
using Collab.Load.Sockets;
using Collab.Load.Statistics;
using Collab.Load.Updates;

namespace Collab.Load.Scenarios;

/// <summary>Clients that have nothing ask for the same document at the same moment.</summary>
/// <param name="name">The name on the command line.</param>
/// <param name="count">How many clients.</param>
/// <param name="megabytes">The document's size as an update.</param>
internal sealed class JoinScenario(string name, int count, int megabytes) : IScenario
{
    private const string Document = "large";

    // What a peer takes for this is minutes.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    public string Name => name;

    public void Run(ServerKind kind, SocketLoop loop, Report report)
    {
        using var server = new ServerProcess(kind);
        var pieces = UpdateWriter.WriteDocument(megabytes * 1_000_000, out var characters);
        // Two stay for the whole run: one writes, and when the other has it all the server has.
        var writer = new Joiner(loop, server, characters);
        var reader = new Joiner(loop, server, characters);
        Member.JoinAll(loop, [writer, reader]);
        for (var piece = 0; piece < pieces.Count; piece++)
        {
            writer.Push(piece, pieces[piece]);
            loop.PollFor(TimeSpan.FromMilliseconds(10));
        }

        if (!loop.PollUntil(() => reader.HasAll, TimeSpan.FromSeconds(60)))
            throw new InvalidOperationException($"{kind} has not taken the document: {writer.Fault ?? reader.Fault ?? "no answer"}");
        loop.PollFor(TimeSpan.FromSeconds(4 + megabytes / 2)); // time to store and compact

        var joiners = Enumerable.Range(0, count).Select(_ => new Joiner(loop, server, characters)).ToList();
        foreach (var some in joiners.Chunk(100))
            Member.ConnectAll(loop, some);
        loop.PollFor(TimeSpan.FromMilliseconds(500));
        server.ResetPeak();
        var (before, start) = (server.Usage, SocketLoop.Now);
        joiners.ForEach(static joiner => joiner.Join());
        loop.PollUntil(() => joiners.TrueForAll(static joiner => joiner.HasAll || joiner.IsClosed), Patience);
        var after = server.Usage;

        foreach (var fault in joiners.Where(static joiner => !joiner.HasAll).CountBy(static joiner => joiner.Fault ?? "no answer"))
            Console.Error.WriteLine($"{kind} | {fault.Value} joiners without it: {fault.Key}");

        var times = new Histogram();
        foreach (var joiner in joiners.Where(static joiner => joiner.HasAll))
            times.Add(joiner.CompletedAt - start);
        report.Add($"Cold join of a {megabytes} MB document by {count:N0} at once", kind.Name,
        [
            new("all have it, ms", joiners.Max(joiner => joiner.CompletedAt - start) / 1e6),
            new("half have it, ms", times.Percentile(0.5)),
            new("CPU ms/joiner", (after.CpuSeconds - before.CpuSeconds) * 1000 / count),
            new("KB/joiner", joiners.Average(static joiner => joiner.Bytes) / 1e3),
            new("MB before", before.ResidentBytes / 1e6),
            new("peak MB", after.PeakBytes / 1e6),
            new("without it", joiners.Count(static joiner => !joiner.HasAll)),
        ]);
        foreach (var member in (Joiner[])[writer, reader, .. joiners])
            member.Disconnect();
    }

    private sealed class Joiner(SocketLoop loop, ServerProcess server, long characters) : Member(loop, server, Document)
    {
        // What the last joiner got, mostly what all get: reading it anew for each would keep the generator from the others for seconds.
        private static (byte[] Update, long Characters) _last = ([], 0);

        private long _received;

        public bool HasAll => _received >= characters;

        public long CompletedAt { get; private set; }

        public long Bytes { get; private set; }

        protected override void OnUpdated(ReadOnlySpan<byte> update)
        {
            Bytes += update.Length;
            if (!update.SequenceEqual(_last.Update))
                _last = (update.ToArray(), Count(update));
            _received += _last.Characters;
            CompletedAt = SocketLoop.Now;
        }

        private static long Count(ReadOnlySpan<byte> update)
        {
            var count = 0L;
            var ranges = new UpdateRanges(update);
            while (ranges.Next())
                count += ranges.End - ranges.Start;
            return count;
        }
    }
}
