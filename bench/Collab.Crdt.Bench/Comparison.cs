using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Collab.Crdt.Bench;

/// <summary>
/// Runs the algebra and yjs (in Node, <c>yjs.mjs</c> beside this file) on the same trace, one after the other, and prints the
/// medians and their ratios. The results must have the same bytes.
/// </summary>
internal static class Comparison
{
    public static async Task<int> RunAsync()
    {
        var trace = Trace.Load();
        var merged = Updates.MergeV1(trace.Updates);
        var half = Updates.StateVectorV1(Updates.MergeV1([.. trace.Updates.Take(trace.Updates.Count / 2)]));
        var hundreds = trace.Updates.Chunk(100).ToArray();

        var ours = new Dictionary<string, Measured>
        {
            ["stateVector"] = Measure(200, () => Updates.StateVectorV1(merged)),
            ["diff"] = Measure(200, () => Updates.DiffV1(merged, half)),
            ["mergeHundreds"] = Measure(20, () => Updates.MergeV1([.. hundreds.Select(batch => (ReadOnlyMemory<byte>)Updates.MergeV1(batch))])),
            ["merge"] = Measure(20, () => Updates.MergeV1(trace.Updates)),
        };
        var compact = Measure(20, () => Updates.CompactV1(trace.Updates));
        var validate = Measure(200, () => [(byte)(Updates.ValidateV1(merged, UpdateLimits.Default) is null ? 1 : 0)]);
        var theirs = await RunYjsAsync(trace, half);

        Console.WriteLine($"{trace.Name}: {trace.Updates.Count} updates, {merged.Length} bytes merged, {compact.Result.Length} compacted");
        Console.WriteLine($"| {"operation",-14} | {"ours ms",9} | {"yjs ms",9} | {"ratio",7} | same bytes |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach (var (operation, (milliseconds, result)) in ours)
        {
            var (theirMilliseconds, theirResult) = theirs[operation];
            var same = result.AsSpan().SequenceEqual(theirResult) ? "yes" : "NO";
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {operation,-14} | {milliseconds,9:0.000} | {theirMilliseconds,9:0.000} | {theirMilliseconds / milliseconds,6:0.0}x | {same,-10} |"));
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {"compact",-14} | {compact.Milliseconds,9:0.000} | - | - | - |"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {"validate",-14} | {validate.Milliseconds,9:0.000} | - | - | - |"));
        return 0;
    }

    private static Measured Measure(int runs, Func<byte[]> operation)
    {
        for (var i = 0; i < runs; i++)
            operation();
        // Tiered compilation replaces hot code in the background; let it finish.
        Thread.Sleep(300);
        var times = new double[runs];
        byte[] result = [];
        for (var i = 0; i < runs; i++)
        {
            var started = Stopwatch.GetTimestamp();
            result = operation();
            times[i] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        }
        Array.Sort(times);
        return new Measured(times[runs / 2], result);
    }

    private static async Task<Dictionary<string, Measured>> RunYjsAsync(Trace trace, byte[] half)
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
            using var node = Process.Start(new ProcessStartInfo("node", [ScriptPath(), input]) { RedirectStandardOutput = true })!;
            var output = await node.StandardOutput.ReadToEndAsync();
            await node.WaitForExitAsync();
            return JsonDocument.Parse(output).RootElement.EnumerateObject().ToDictionary(
                entry => entry.Name,
                entry => new Measured(entry.Value.GetProperty("ms").GetDouble(), entry.Value.GetProperty("result").GetBytesFromBase64()));
        }
        finally
        {
            File.Delete(input);
        }
    }

    private static string ScriptPath([CallerFilePath] string path = "") => Path.Combine(Path.GetDirectoryName(path)!, "yjs.mjs");

    private sealed record Measured(double Milliseconds, byte[] Result);
}
