using System.Text.Json;

namespace Collab.Server.Documents.Data;

/// <summary>What makes one JSON value of another, as places and the values that come there; null where something goes.</summary>
internal static class JsonDifference
{
    /// <summary>The places, as JSON Pointers (RFC 6901) from the top, in no order that matters: none lies in another.</summary>
    public static List<(string Path, JsonElement? Value)> Between(JsonElement before, JsonElement after)
    {
        var changes = new List<(string, JsonElement?)>();
        Compare("", before, after, changes);
        return changes;
    }

    private static void Compare(string path, JsonElement before, JsonElement after, List<(string, JsonElement?)> changes)
    {
        switch (before.ValueKind, after.ValueKind)
        {
            case (JsonValueKind.Object, JsonValueKind.Object):
                foreach (var member in before.EnumerateObject())
                {
                    if (after.TryGetProperty(member.Name, out var now))
                        Compare(Under(path, member.Name), member.Value, now, changes);
                    else
                        changes.Add((Under(path, member.Name), null));
                }
                foreach (var member in after.EnumerateObject())
                {
                    if (!before.TryGetProperty(member.Name, out _))
                        changes.Add((Under(path, member.Name), member.Value));
                }
                break;
            case (JsonValueKind.Array, JsonValueKind.Array) when before.GetArrayLength() == after.GetArrayLength():
                var index = 0;
                foreach (var (was, now) in before.EnumerateArray().Zip(after.EnumerateArray()))
                    Compare($"{path}/{index++}", was, now, changes);
                break;
            default:
                if (!JsonElement.DeepEquals(before, after))
                    changes.Add((path, after));
                break;
        }
    }

    private static string Under(string path, string name) =>
        $"{path}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";
}
