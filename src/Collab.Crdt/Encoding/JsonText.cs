using System.Text.Json;

namespace Collab.Crdt;

/// <summary>Checks JSON texts without building them: well formed as for JavaScript's <c>JSON.parse</c>, and not too deep.</summary>
internal static class JsonText
{
    // The depth is checked here, where too deep can be told from malformed.
    private static readonly JsonReaderOptions AnyDepth = new() { MaxDepth = int.MaxValue };

    /// <summary>Throws <see cref="InvalidUpdateException"/> when <paramref name="utf8"/>, found at <paramref name="offset"/>, is not JSON.</summary>
    public static void Check(ReadOnlySpan<byte> utf8, int offset, int maxDepth)
    {
        var json = new Utf8JsonReader(utf8, AnyDepth);
        try
        {
            while (json.Read())
            {
                if (json.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject && json.CurrentDepth >= maxDepth)
                    throw Faults.TooDeep(offset + (int)json.TokenStartIndex, maxDepth);
            }
        }
        catch (JsonException)
        {
            throw Faults.InvalidJson(offset + (int)json.BytesConsumed);
        }
    }
}
