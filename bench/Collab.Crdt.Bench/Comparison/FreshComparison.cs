using System.Globalization;

namespace Collab.Crdt.Bench;

/// <summary>B4 as a saved document in processes that have done nothing else: how long it takes to be there, and what it keeps alive.</summary>
internal static class FreshComparison
{
    private const int Processes = 9;

    // How ours runs: as it is built, and with what makes the first calls cheaper.
    private static readonly (string Name, Dictionary<string, string> Environment)[] _settings =
    [
        ("as built", []),
        ("TieredPGO=0", new() { ["DOTNET_TieredPGO"] = "0" }),
    ];

    public static void Run()
    {
        var trace = TraceFolder.Instance.Sequential[0];
        var file = Path.GetTempFileName();
        try
        {
            var doc = new Doc(new DocOptions { ClientId = 3141592653 });
            TextRoot.Instance.Replay(doc, SequentialTrace.Read(trace));
            File.WriteAllBytes(file, doc.StateDiffV1());
            Console.WriteLine($"### A saved document ({trace}) in fresh processes, medians of {Processes}\n");
            Console.WriteLine("| | ours | yjs | ywasm | ours / yjs | target |");
            Console.WriteLine("|---|---|---|---|---|---|");
            var yjs = Median(Engine.Yjs, "cold", file);
            var ywasm = Median(Engine.Ywasm, "cold", file);
            foreach (var (name, environment) in _settings)
            {
                var ours = Median(Engine.Ours, "cold", file, environment);
                Write($"cold load, ms ({name})", ours, yjs, ywasm, Target.NotSlower.Verdict(ours / yjs));
            }
            WriteHeap("live heap once loaded, MB", "heap", file, new Target(1.2, 0.7));
            WriteHeap("live heap once read and edited, MB", "used-heap", file, new Target(1.2, 0.7));
            Console.WriteLine();
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static void WriteHeap(string title, string task, string file, Target target)
    {
        var megabytes = Engine.All.Select(engine => Median(engine, task, file) / 1e6).ToArray();
        Write(title, megabytes[0], megabytes[1], megabytes[2], target.Verdict(megabytes[0]));
    }

    private static void Write(string title, double ours, double yjs, double ywasm, string verdict) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"| {title} | {ours:0.00} | {yjs:0.00} | {ywasm:0.00} | {ours / yjs:0.00} | {verdict} |"));

    private static double Median(Engine engine, string task, string file, IReadOnlyDictionary<string, string>? environment = null)
    {
        var values = Enumerable.Range(0, Processes).Select(_ => engine.RunFresh(task, file, environment)).Order().ToArray();
        return values[Processes / 2];
    }
}
