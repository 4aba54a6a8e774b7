using System.Globalization;
using System.Runtime.InteropServices;

namespace Collab.Crdt.Bench;

/// <summary>
/// B4 as a saved document in processes that have done nothing else: how long it takes to be there, and what it keeps alive. Ours
/// is published in three ways: compiled just in time, ahead of time with the compiler there as well, and to a native program.
/// </summary>
internal static class FreshComparison
{
    private const int Processes = 9;

    private static readonly (string Name, string[] Options)[] Ways =
    [
        ("just in time", []),
        ("ReadyToRun", ["-r", RuntimeInformation.RuntimeIdentifier, "--self-contained", "false", "-p:PublishReadyToRun=true"]),
        ("native AOT", ["-r", RuntimeInformation.RuntimeIdentifier, "-p:NativeAot=true"]),
    ];

    public static void Run()
    {
        var folder = Directory.CreateTempSubdirectory("collab-fresh-").FullName;
        try
        {
            var trace = TraceFolder.Instance.Sequential[0];
            var file = Path.Combine(folder, "document");
            var doc = new Doc(new DocOptions { ClientId = 3141592653 });
            TextRoot.Instance.Replay(doc, SequentialTrace.Read(trace));
            File.WriteAllBytes(file, doc.StateDiffV1());
            Compare(trace, file, [.. Ways.Select((way, i) => (way.Name, Engine.PublishFresh(Path.Combine(folder, $"{i}"), way.Options)))]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Compare(string trace, string file, (string Name, string? Program)[] ways)
    {
        Console.WriteLine($"### A saved document ({trace}) in fresh processes, medians of {Processes}\n");
        Console.WriteLine("| | ours | yjs | ywasm | ours / yjs | target |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (var (name, program) in ways)
        {
            if (program is null)
                Console.WriteLine($"| cold load, ms ({name}) | not to be had here | | | | |");
            else
                Write($"cold load, ms ({name})", Median("cold", file, program), (_, ratio) => Target.NotSlower.Verdict(ratio));
        }
        var heap = new Target(1.2, 0.7);
        Write("live heap once loaded, MB", [.. Median("heap", file, ways[0].Program!).Select(bytes => bytes / 1e6)], (ours, _) => heap.Verdict(ours));
        Write("live heap once read and edited, MB", [.. Median("used-heap", file, ways[0].Program!).Select(bytes => bytes / 1e6)], (ours, _) => heap.Verdict(ours));
        Console.WriteLine();
    }

    private static void Write(string title, double[] values, Func<double, double, string> verdict)
    {
        var ratio = values[0] / values[1];
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {title} | {values[0]:0.00} | {values[1]:0.00} | {values[2]:0.00} | {ratio:0.00} | {verdict(values[0], ratio)} |"));
    }

    // The engines take turns, so that what else the machine does meets them alike.
    private static double[] Median(string task, string file, string ourProgram)
    {
        var rounds = Enumerable.Range(0, Processes).Select(_ => Engine.All.Select(engine => engine.RunFresh(task, file, ourProgram)).ToArray()).ToArray();
        return [.. Engine.All.Select((_, i) => rounds.Select(round => round[i]).Order().ElementAt(Processes / 2))];
    }
}
