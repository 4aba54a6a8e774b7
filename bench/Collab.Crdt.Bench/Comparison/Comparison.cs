using System.Globalization;

namespace Collab.Crdt.Bench;

/// <summary>Runs ours, yjs and ywasm on the same work in one run and prints Markdown tables: medians, and their ratios to the better of the two.</summary>
internal static class Comparison
{
    private static readonly Group[] Groups =
    [
        new("B1: one user, 6,000 operations",
        [
            new("B1.1", "append letters"), new("B1.2", "insert a string"), new("B1.3", "prepend letters"), new("B1.4", "letters at random"),
            new("B1.5", "words at random"), new("B1.6", "insert, delete all"), new("B1.7", "insert and delete at random"),
            new("B1.8", "append numbers"), new("B1.9", "insert an array"), new("B1.10", "prepend numbers"), new("B1.11", "numbers at random"),
        ]),
        new("B2: two users, who exchange 6,000 operations each",
        [
            new("B2.1", "insert a string"), new("B2.2", "letters at random"), new("B2.3", "words at random"), new("B2.4", "insert and delete at random"),
        ]),
        new("B3: 1,549 users change one thing at once",
        [
            new("B3.1", "a number in a map"), new("B3.2", "an object in a map"), new("B3.3", "a long string in a map"),
            new("B3.4", "text in an array"), new("B3.5", "text in a text"),
        ]),
        new("B4 and other sequential traces", [.. TraceFolder.Instance.Sequential.Select((name, i) =>
            new Entry($"{(i == 0 ? "full" : "sequential")}:{name}", i == 0 ? $"B4 ({name})" : name))]),
        new("Concurrent traces, update by update", [.. TraceFolder.Instance.Concurrent.Select(name => new Entry($"concurrent:{name}", name))]),
    ];

    public static async Task<int> RunAsync(string[] filter)
    {
        foreach (var group in Groups)
            RunGroup(group with { Entries = [.. group.Entries.Where(entry => IsWanted(filter, entry.Id, entry.Title, group.Title))] });
        if (IsWanted(filter, "fresh", "cold", "heap", "B4"))
            FreshComparison.Run();
        if (IsWanted(filter, "algebra", "merge"))
            await AlgebraComparison.RunAsync();
        return 0;
    }

    private static bool IsWanted(string[] filter, params string[] names) =>
        filter.Length == 0 || filter.Any(word => names.Any(name => name.Contains(word, StringComparison.OrdinalIgnoreCase)));

    private static void RunGroup(Group group)
    {
        if (group.Entries.Length == 0)
            return;
        Console.WriteLine($"### {group.Title}\n");
        Console.WriteLine("| workload | phase | ours ms | yjs ms | ywasm ms | ours / better | by best runs | target |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        var ratios = new List<double>();
        var notes = new List<string>();
        foreach (var entry in group.Entries)
        {
            var outcomes = Engine.All.ToDictionary(engine => engine, engine => engine.Run(entry.Id));
            foreach (var phase in outcomes[Engine.Ours].Phases.Keys)
                ratios.Add(WriteRow(entry, phase, [.. Engine.All.Select(engine => outcomes[engine].Phases[phase])]));
            notes.Add(Note(entry, outcomes));
        }
        ratios.Sort();
        Console.WriteLine(Text($"\nMedian ratio {ratios[ratios.Count / 2]:0.00}; {ratios.Count(ratio => ratio > 1)} of {ratios.Count} slower than the better one.\n"));
        foreach (var note in notes)
            Console.WriteLine($"- {note}");
        Console.WriteLine();
    }

    private static double WriteRow(Entry entry, string phase, Times[] times)
    {
        var (ours, yjs, ywasm) = (times[0], times[1], times[2]);
        var ratio = ours.Median / Math.Min(yjs.Median, ywasm.Median);
        var bestRatio = ours.Best / Math.Min(yjs.Best, ywasm.Best);
        Console.WriteLine(Text(
            $"| {entry.Name} | {phase} | {Figure(ours.Median)} | {Figure(yjs.Median)} | {Figure(ywasm.Median)} | {ratio:0.00} | {bestRatio:0.00} | {TargetOf(entry, phase).Verdict(ratio)} |"));
        return ratio;
    }

    private static Target TargetOf(Entry entry, string phase) => entry.Id.StartsWith("full:", StringComparison.Ordinal)
        ? phase switch
        {
            "apply" => new Target(0.25, 0.1),
            "apply, v2 events" => new Target(0.2),
            "parse" or "parse v2" or "parse, read the text" => new Target(0.5, 0.2),
            _ => Target.NotSlower,
        }
        : Target.NotSlower;

    // The sizes, and whether every engine came to the same content and sizes.
    private static string Note(Entry entry, Dictionary<Engine, Outcome> outcomes)
    {
        var ours = outcomes[Engine.Ours];
        var sizes = string.Join(", ", ours.Sizes.Select(size => Text($"{size.Key} {size.Value:N0}")));
        var differences = outcomes.Where(other => other.Value.Content != ours.Content).Select(other => $"{other.Key.Name} has OTHER CONTENT")
            .Concat(outcomes.SelectMany(other => other.Value.Sizes.Where(size => size.Value != ours.Sizes.GetValueOrDefault(size.Key))
                .Select(size => Text($"{other.Key.Name} {size.Key} {size.Value:N0}"))))
            .ToArray();
        return $"{entry.Name}: bytes {sizes}; {(differences.Length == 0 ? "all three the same" : string.Join(", ", differences))}";
    }

    private static string Figure(double milliseconds) =>
        milliseconds.ToString(milliseconds < 1 ? "0.0000" : milliseconds < 100 ? "0.00" : "N0", CultureInfo.InvariantCulture);

    private static string Text(FormattableString text) => FormattableString.Invariant(text);

    private sealed record Group(string Title, Entry[] Entries);

    private sealed record Entry(string Id, string Title)
    {
        public string Name => Id.Contains(':') ? Title : $"{Id} {Title}";
    }
}
