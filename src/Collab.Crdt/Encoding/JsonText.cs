using System.Text.Json;

namespace Collab.Crdt.Encoding;

/// <summary>Checks JSON texts without building them: well formed as for JavaScript's <c>JSON.parse</c>, and not too deep.</summary>
internal static class JsonText
{
    /// <summary>Throws <see cref="InvalidUpdateException"/> when <paramref name="utf8"/>, found at <paramref name="offset"/>, is not JSON.</summary>
    public static void Check(ReadOnlySpan<byte> utf8, int offset, int maxDepth)
    {
        var json = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = maxDepth });
        try
        {
            while (json.Read())
            {
            }
        }
        catch (JsonException)
        {
            var at = offset + (int)json.BytesConsumed;
            throw json.CurrentDepth >= maxDepth ? Faults.TooDeep(at, maxDepth) : Faults.InvalidJson(at);
        }
    }
}
