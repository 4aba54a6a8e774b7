using System.Collections.Concurrent;

namespace Collab.Host.Tests.Security.Fuzzing;

/// <summary>Counts what was sent, by kind.</summary>
internal sealed class Tally
{
    private readonly ConcurrentDictionary<string, int> _counts = new(StringComparer.Ordinal);

    public int Total => _counts.Values.Sum();

    public int CountOf(string group) => _counts.Where(one => one.Key.StartsWith(group, StringComparison.Ordinal)).Sum(one => one.Value);

    public void Count(string group, string kind) => _counts.AddOrUpdate($"{group}: {kind}", 1, (_, count) => count + 1);

    public override string ToString() =>
        string.Join('\n', _counts.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Value,7} {one.Key}"));
}
