using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Collab.Crdt.Bench;

/// <summary>One of the engines that are compared: runs work in a process of its own, which prints one line of JSON.</summary>
internal sealed record Engine(string Name)
{
    public static Engine Ours { get; } = new("ours");

    public static Engine Yjs { get; } = new("yjs");

    public static Engine Ywasm { get; } = new("ywasm");

    public static IReadOnlyList<Engine> All { get; } = [Ours, Yjs, Ywasm];

    /// <summary>Where the Node side is.</summary>
    private static string NodeFolder { get; } = Path.Combine(SourceFolder(), "..", "node");

    public Outcome Run(string workload) => Parse<Outcome>(this == Ours
        ? Start(OwnProgram, ["workload", workload])
        : Node("workloads.mjs", Name, workload));

    /// <summary>What a fresh process measures: ours is the program given, published from <c>Collab.Crdt.Fresh</c>.</summary>
    public double RunFresh(string task, string file, string ourProgram) => Parse<FreshOutcome>(this == Ours
        ? Start([ourProgram], [task, file])
        : Node("--expose-gc", "fresh.mjs", Name, task, file)).Value;

    /// <summary>Publishes <c>Collab.Crdt.Fresh</c> into a folder; null where that cannot be done.</summary>
    public static string? PublishFresh(string folder, params string[] options)
    {
        var project = Path.Combine(SourceFolder(), "..", "..", "Collab.Crdt.Fresh");
        try
        {
            Start(["dotnet", "publish", project, "-c", "Release", "-o", Path.Combine(folder, "out"), "--artifacts-path", folder], options);
            return Path.Combine(folder, "out", "Collab.Crdt.Fresh");
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The last line that a script of the Node side prints. What does not name a script of ours is an option of Node.</summary>
    public static string Node(params string[] arguments) =>
        Start(["node"], [.. arguments.Select(argument => argument.EndsWith(".mjs", StringComparison.Ordinal) ? Path.Combine(NodeFolder, argument) : argument)]);

    private static IReadOnlyList<string> OwnProgram { get; } = ["dotnet", typeof(Engine).Assembly.Location];

    private static string Start(IReadOnlyList<string> program, string[] arguments)
    {
        var start = new ProcessStartInfo(program[0], [.. program.Skip(1), .. arguments]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{string.Join(' ', [.. program, .. arguments])} has failed.");
        return output.TrimEnd().Split('\n')[^1];
    }

    private static T Parse<T>(string json) => JsonSerializer.Deserialize<T>(json, JsonSerializerOptions.Web)!;

    private static string SourceFolder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;

    private sealed record FreshOutcome(double Value, int Length);
}
