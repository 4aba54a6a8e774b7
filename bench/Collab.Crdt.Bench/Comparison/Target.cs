using System.Globalization;

namespace Collab.Crdt.Bench;

/// <summary>What our time or size is allowed to be: a factor of another's, or a value of its own; and what would be splendid.</summary>
internal sealed record Target(double AtMost, double? Moonshot = null)
{
    /// <summary>Never slower than the better of the two.</summary>
    public static Target NotSlower { get; } = new(1);

    public string Verdict(double value) =>
        value <= Moonshot ? $"PASS (≤ {Text(AtMost)}, moonshot {Text(Moonshot.Value)} too)"
        : value <= AtMost ? $"PASS (≤ {Text(AtMost)})"
        : $"miss (≤ {Text(AtMost)})";

    private static string Text(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
