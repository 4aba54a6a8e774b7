using System.Text.Json;

namespace Collab.Crdt.Tests.Documents;

/// <summary>Values as the vectors write them: JSON, with tags for what JSON lacks (<c>vectors/FORMAT.md</c>).</summary>
internal static class Tagged
{
    /// <summary>The value that tagged JSON stands for.</summary>
    public static Any Read(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Null => Any.Null,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => json.GetDouble(),
        JsonValueKind.String => json.GetString(),
        JsonValueKind.Array => Any.FromArray([.. json.EnumerateArray().Select(Read)]),
        JsonValueKind.Object => json.TryGetProperty("$", out var tag) ? ReadTag(tag.GetString()!, json) : Any.FromObject(ReadObject(json)),
        _ => throw new InvalidOperationException($"{json.ValueKind} is no value."),
    };

    /// <summary>The members of an object, in their order.</summary>
    public static OrderedDictionary<string, Any> ReadObject(JsonElement json) =>
        new(json.EnumerateObject().Select(member => KeyValuePair.Create(member.Name, Read(member.Value))));

    /// <summary>A plain value as tagged JSON, with the keys of objects sorted.</summary>
    public static Any Write(Any value) => value.Kind switch
    {
        AnyKind.Undefined => Any.FromObject(("$", "undefined")),
        AnyKind.BigInt => Any.FromObject(("$", "bigint"), ("v", value.AsBigInt().ToString())),
        AnyKind.Number when value.AsNumber() is var number && (!double.IsFinite(number) || (number == 0 && double.IsNegative(number))) =>
            Any.FromObject(("$", "number"), ("v", NameOf(number))),
        AnyKind.Bytes => Any.FromObject(("$", "bytes"), ("v", Convert.ToBase64String(value.AsBytes().Span))),
        AnyKind.Array => Any.FromArray([.. value.AsArray().Select(Write)]),
        AnyKind.Object => Sorted(value.AsObject(), Write),
        _ => value,
    };

    /// <summary>An object with its keys sorted as JavaScript has them: integers first by number, then the others by code units.</summary>
    public static Any Sorted(IEnumerable<KeyValuePair<string, Any>> members, Func<Any, Any> write)
    {
        var sorted = new OrderedDictionary<string, Any>();
        foreach (var (key, value) in members.OrderBy(member => Index(member.Key) ?? uint.MaxValue).ThenBy(member => member.Key, StringComparer.Ordinal))
            sorted.Add(key, write(value));
        return Any.FromObject(sorted);
    }

    private static uint? Index(string key) =>
        uint.TryParse(key, out var index) && index < uint.MaxValue && index.ToString() == key ? index : null;

    private static string NameOf(double number) =>
        double.IsNaN(number) ? "NaN" : number == 0 ? "-0" : number > 0 ? "Infinity" : "-Infinity";

    private static Any ReadTag(string tag, JsonElement json) => tag switch
    {
        "undefined" => Any.Undefined,
        "bigint" => long.Parse(json.GetProperty("v").GetString()!),
        "bytes" => json.GetProperty("v").GetBytesFromBase64(),
        "number" => json.GetProperty("v").GetString() switch
        {
            "NaN" => double.NaN,
            "Infinity" => double.PositiveInfinity,
            "-Infinity" => double.NegativeInfinity,
            _ => -0.0,
        },
        _ => throw new InvalidOperationException($"No value has the tag {tag}."),
    };
}
