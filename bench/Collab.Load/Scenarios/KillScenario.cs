using Collab.Load.Servers;
using Collab.Load.Sockets;
using Collab.Load.Statistics;
using Collab.Load.Updates;

namespace Collab.Load.Scenarios;

/// <summary>
/// Ten clients write 500 updates a second; the server is killed (SIGKILL) in the midst of it or a moment after the last
/// acknowledgement, started again on its data, and asked for the document: how many acknowledged updates are gone?
/// </summary>
internal sealed class KillScenario : IScenario
{
    private const int Writers = 10;
    private const long Interval = 1_000_000_000 / 500;

    public string Name => "kill";

    public void Run(ServerKind kind, SocketLoop loop, Report report)
    {
        if (!kind.Acknowledges || !kind.Stores)
        {
            Console.Error.WriteLine($"  {kind}: nothing to kill for, it neither acknowledges nor stores");
            return;
        }

        Run(kind, loop, report, acknowledgements: 1000, pause: 0);
        Run(kind, loop, report, acknowledgements: 1000, pause: 1);
        Run(kind, loop, report, acknowledgements: 6000, pause: 0);
    }

    private static void Run(ServerKind kind, SocketLoop loop, Report report, int acknowledgements, int pause)
    {
        using var server = new ServerProcess(kind);
        var writers = Enumerable.Range(0, Writers).Select(_ => new Writer(loop, server)).ToArray();
        Member.JoinAll(loop, writers);

        var start = SocketLoop.Now;
        for (var sent = 0; writers.Sum(static writer => writer.Acknowledged.Count) < acknowledgements; sent++)
        {
            var due = start + sent * Interval;
            if (SocketLoop.Now > start + (acknowledgements * Interval) + 30_000_000_000)
                throw new InvalidOperationException($"{kind} has stopped acknowledging: {writers[0].Fault ?? "no answer"}");
            while (SocketLoop.Now is var now && now < due)
                loop.Poll(due - now);
            var (writer, index) = (sent % Writers, sent / Writers);
            // Without a pause the traffic goes on until the kill; with one, it ends with what was asked for.
            if (pause == 0 || sent < acknowledgements)
                writers[writer].Push(index, UpdateWriter.Write(writer, index));
        }

        loop.PollFor(TimeSpan.FromSeconds(pause));
        server.Kill();
        // Acknowledgements that were on their way count: their writers have been told.
        loop.PollUntil(() => Array.TrueForAll(writers, static writer => writer.IsClosed), TimeSpan.FromSeconds(5));

        server.Restart();
        var reader = new Reader(loop, server);
        Member.JoinAll(loop, [reader]);
        loop.PollFor(TimeSpan.FromMilliseconds(500));
        reader.Disconnect();

        var acknowledged = writers.Sum(static writer => writer.Acknowledged.Count);
        var missing = writers.Select((writer, number) => writer.Acknowledged.Count(index => !reader.Has.Contains((number, index)))).Sum();
        var when = pause == 0 ? "in mid-traffic" : $"{pause} s after the last acknowledgement";
        report.Add($"kill -9 after {acknowledgements:N0} acknowledged updates, {when}", kind.Name,
        [
            new("acknowledged", acknowledged),
            new("of those missing", missing),
        ]);
    }

    private sealed class Writer(SocketLoop loop, ServerProcess server) : Member(loop, server, "kill")
    {
        /// <summary>The numbers of its updates that were acknowledged.</summary>
        public HashSet<int> Acknowledged { get; } = [];

        protected override void OnAcknowledged(int index) => Acknowledged.Add(index);
    }

    private sealed class Reader(SocketLoop loop, ServerProcess server) : Member(loop, server, "kill")
    {
        /// <summary>The updates that it was given: writer and number.</summary>
        public HashSet<(int Writer, int Index)> Has { get; } = [];

        protected override void OnUpdated(ReadOnlySpan<byte> update)
        {
            var ranges = new UpdateRanges(update);
            while (ranges.Next())
            {
                for (var clock = ranges.Start; clock < ranges.End; clock += UpdateWriter.CharactersPerUpdate)
                    Has.Add(((int)(ranges.Client - UpdateWriter.ClientOf(0)), (int)(clock / UpdateWriter.CharactersPerUpdate)));
            }
        }
    }
}
