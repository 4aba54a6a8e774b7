using System.Globalization;
using System.Text;

namespace Collab.Load.Statistics;

/// <summary>One measured number under its heading.</summary>
internal readonly record struct Figure(string Name, double Value);

/// <summary>Gathers the figures of all runs and prints a table per scenario: medians over the repeats, and ours divided by each peer's.</summary>
internal sealed class Report
{
    private readonly List<(string Scenario, string Server, Figure[] Figures)> _rows = [];

    /// <summary>Keeps a row and shows it on the error stream, for whoever watches.</summary>
    public void Add(string scenario, string server, IEnumerable<Figure> figures)
    {
        var row = figures.ToArray();
        _rows.Add((scenario, server, row));
        Console.Error.WriteLine($"{scenario} | {server} | " + string.Join(", ", row.Select(figure => $"{figure.Name} {Format(figure.Value)}")));
    }

    /// <summary>A figure's median over the repeats; NaN when it was not measured.</summary>
    public double MedianOf(string scenario, string server, string figure)
    {
        var values = _rows
            .Where(row => row.Scenario == scenario && row.Server == server)
            .SelectMany(row => row.Figures)
            .Where(one => one.Name == figure)
            .Select(one => one.Value)
            .ToList();
        return values.Count == 0 ? double.NaN : Median(values);
    }

    /// <summary>The tables, in Markdown.</summary>
    /// <param name="ours">The server whose figures are divided by the others'; null for none.</param>
    public string ToMarkdown(string? ours)
    {
        var text = new StringBuilder();
        foreach (var scenario in _rows.GroupBy(row => row.Scenario))
        {
            var names = scenario.First().Figures.Select(figure => figure.Name).ToList();
            var medians = scenario.GroupBy(row => row.Server).ToDictionary(
                server => server.Key,
                server => names.ConvertAll(name => Median(server.Select(row => row.Figures.First(figure => figure.Name == name).Value))));
            text.AppendLine(CultureInfo.InvariantCulture, $"\n### {scenario.Key}\n");
            Line(text, ["server", "runs", .. names]);
            Line(text, Enumerable.Repeat("---", names.Count + 2));
            foreach (var (server, values) in medians)
                Line(text, [server, $"{scenario.Count(row => row.Server == server)}", .. values.Select(Format)]);
            if (ours is null || !medians.TryGetValue(ours, out var own))
                continue;
            foreach (var (server, values) in medians.Where(server => server.Key != ours))
                Line(text, [$"{ours} / {server}", "", .. own.Zip(values, (mine, theirs) => Format(mine / theirs))]);
        }

        return text.ToString();
    }

    private static void Line(StringBuilder text, IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).AppendLine(" |");

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    public static string Format(double value) => value switch
    {
        _ when !double.IsFinite(value) => "–",
        0 => "0",
        >= 100 or <= -100 => value.ToString("#,0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.00", CultureInfo.InvariantCulture),
    };
}
