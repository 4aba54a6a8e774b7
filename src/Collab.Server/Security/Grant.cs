using System.Text.Json;
using Collab.Server.Rooms;

namespace Collab.Server.Security;

/// <summary>
/// One grant of a token: a pattern over names of documents or channels and what may be done there, such as
/// <c>{ "document": "acme/*", "access": ["read", "write"] }</c>; or <c>{ "admin": true }</c>, which allows everything.
/// In a pattern <c>*</c> stands for any run of characters.
/// </summary>
internal sealed record Grant(RoomKind Kind, string Pattern, IReadOnlyList<string> Access, bool IsAdmin)
{
    /// <summary>The claim that holds grants, as JSON objects or a list of them.</summary>
    public const string ClaimType = "collab";

    public bool Allows(RoomKey room, string right) =>
        IsAdmin || (room.Kind == Kind && Access.Contains(right, StringComparer.Ordinal) && Matches(Pattern, room.Name));

    /// <summary>Reads the grants of one claim. What is not a well-formed grant grants nothing.</summary>
    public static IEnumerable<Grant> Parse(string claim)
    {
        JsonDocument json;
        try
        {
            json = JsonDocument.Parse(claim);
        }
        catch (JsonException)
        {
            yield break;
        }

        using (json)
        {
            if (json.RootElement.ValueKind is JsonValueKind.Array)
            {
                foreach (var element in json.RootElement.EnumerateArray())
                {
                    if (ParseOne(element) is { } grant)
                        yield return grant;
                }
            }
            else if (ParseOne(json.RootElement) is { } grant)
            {
                yield return grant;
            }
        }
    }

    /// <summary>Matches greedily and without recursion, in time of at most pattern times name.</summary>
    internal static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        int p = 0, n = 0, star = -1, resume = 0;
        while (n < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                resume = n;
            }
            else if (p < pattern.Length && pattern[p] == name[n])
            {
                p++;
                n++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                n = ++resume;
            }
            else
            {
                return false;
            }
        }

        return pattern[p..].IndexOfAnyExcept('*') < 0;
    }

    private static Grant? ParseOne(JsonElement element)
    {
        if (element.ValueKind is not JsonValueKind.Object)
            return null;
        if (element.TryGetProperty("admin", out var admin) && admin.ValueKind is JsonValueKind.True)
            return new Grant(default, "", [], IsAdmin: true);
        if (!element.TryGetProperty("access", out var access) || access.ValueKind is not JsonValueKind.Array)
            return null;
        string[] rights = [.. access.EnumerateArray().Where(right => right.ValueKind is JsonValueKind.String).Select(right => right.GetString()!)];
        return (String(element, "document"), String(element, "channel")) switch
        {
            ({ } pattern, null) => new Grant(RoomKind.Document, pattern, rights, IsAdmin: false),
            (null, { } pattern) => new Grant(RoomKind.Channel, pattern, rights, IsAdmin: false),
            _ => null,
        };
    }

    private static string? String(JsonElement element, string property) =>
        element.TryGetProperty(property, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;
}
