using System.Globalization;
using System.Text.Json;

namespace Collab.Crdt.Bench;

/// <summary>The algebra of updates beside yjs (<c>node/algebra.mjs</c>) on a concurrent trace. The results must have the same bytes.</summary>
internal static class AlgebraComparison
{
    public static async Task RunAsync()
    {
        var trace = ConcurrentTrace.Default;
        var merged = Updates.MergeV1(trace.Updates);
        var half = Updates.StateVectorV1(Updates.MergeV1([.. trace.Updates.Take(trace.Updates.Count / 2)]));
        var hundreds = trace.Updates.Chunk(100).ToArray();
        var theirs = await RunYjsAsync(trace, half);

        Console.WriteLine($"### The algebra on bytes ({trace.Name}: {trace.Updates.Count} updates, {merged.Length} bytes merged)\n");
        Console.WriteLine("| operation | ours ms | yjs ms | ours / yjs | same bytes | target |");
        Console.WriteLine("|---|---|---|---|---|---|");
        Compare("stateVector", () => Updates.StateVectorV1(merged));
        Compare("diff", () => Updates.DiffV1(merged, half));
        Compare("mergeHundreds", () => Updates.MergeV1([.. hundreds.Select(batch => (ReadOnlyMemory<byte>)Updates.MergeV1(batch))]));
        Compare("merge", () => Updates.MergeV1(trace.Updates), new Target(40));
        Alone("compact", () => Updates.CompactV1(trace.Updates));
        Alone("validate", () => Updates.ValidateV1(merged, UpdateLimits.Default));
        Console.WriteLine();

        void Compare(string operation, Func<byte[]> run, Target? absolute = null)
        {
            var ours = Measure.Run(run, out var result).Median;
            var (milliseconds, bytes) = theirs[operation];
            var same = result.AsSpan().SequenceEqual(bytes) ? "yes" : "NO";
            Write($"| {operation} | {ours:0.000} | {milliseconds:0.000} | {ours / milliseconds:0.0000} | {same} | {absolute?.Verdict(ours) ?? Target.NotSlower.Verdict(ours / milliseconds)} |");
        }

        static void Alone<T>(string operation, Func<T> run) => Write($"| {operation} | {Measure.Run(run, out _).Median:0.000} | | | | |");
    }

    private static void Write(FormattableString row) => Console.WriteLine(row.ToString(CultureInfo.InvariantCulture));

    private static async Task<Dictionary<string, (double Milliseconds, byte[] Result)>> RunYjsAsync(ConcurrentTrace trace, byte[] half)
    {
        var input = Path.GetTempFileName();
        try
        {
            await using (var file = new BinaryWriter(File.Create(input)))
            {
                file.Write(half.Length);
                file.Write(half);
                file.Write(trace.Updates.Count);
                foreach (var update in trace.Updates)
                {
                    file.Write(update.Length);
                    file.Write(update.Span);
                }
            }
            using var output = JsonDocument.Parse(Engine.Node("algebra.mjs", input));
            return output.RootElement.EnumerateObject().ToDictionary(
                entry => entry.Name,
                entry => (entry.Value.GetProperty("ms").GetDouble(), entry.Value.GetProperty("result").GetBytesFromBase64()));
        }
        finally
        {
            File.Delete(input);
        }
    }
}
