using System.Text.Json;

namespace Collab.Crdt.Bench;

/// <summary>What one user did to a text: <c>NAME.seq.json.gz</c>, an object whose <c>txns</c> are lists of [position, removed, inserted].</summary>
internal static class SequentialTrace
{
    public const string Suffix = ".seq.json.gz";

    /// <summary>All edits of a trace, each on its own.</summary>
    public static Edit<string>[] Read(string name)
    {
        using var json = JsonDocument.Parse(TraceFolder.Instance.Read(name, Suffix));
        // Most insertions are one letter; they share their strings, as in JavaScript.
        var strings = new Dictionary<string, string>();
        string Shared(string text) => strings.TryGetValue(text, out var shared) ? shared : strings[text] = text;
        return [.. json.RootElement.GetProperty("txns").EnumerateArray().SelectMany(transaction => transaction.EnumerateArray())
            .Select(patch => new Edit<string>(patch[0].GetInt32(), patch[1].GetInt32(), Shared(patch[2].GetString()!)))];
    }
}
