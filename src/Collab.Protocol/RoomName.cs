using System.Buffers;

namespace Collab.Protocol;

/// <summary>
/// The rule for document ids and channel names: 1 to 200 characters of <c>A-Z a-z 0-9 . _ ~ : @ - /</c>, with no empty segment
/// between slashes. Such a name is safe in URLs, logs and keys of stores.
/// </summary>
public static class RoomName
{
    /// <summary>The longest name, in characters (all of them are ASCII).</summary>
    public const int MaxLength = 200;

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:@-/");

    /// <summary>Whether <paramref name="name"/> follows the rule.</summary>
    public static bool IsValid(string? name) =>
        name is { Length: > 0 and <= MaxLength }
        && !name.AsSpan().ContainsAnyExcept(Allowed)
        && name[0] != '/'
        && name[^1] != '/'
        && !name.Contains("//", StringComparison.Ordinal);
}
