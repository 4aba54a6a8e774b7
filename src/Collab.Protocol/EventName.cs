namespace Collab.Protocol;

/// <summary>
/// The rule for what publishers name: the event of a message, and the idempotency key. 1 to 128 characters, none of them a control
/// character or half of a surrogate pair, so that they stand on one line everywhere.
/// </summary>
public static class EventName
{
    /// <summary>The longest, in UTF-16 code units.</summary>
    public const int MaxLength = 128;

    /// <summary>Whether <paramref name="name"/> follows the rule.</summary>
    public static bool IsValid(string? name)
    {
        if (name is not { Length: > 0 and <= MaxLength })
            return false;
        for (var i = 0; i < name.Length; i++)
        {
            var c = name[i];
            if (char.IsHighSurrogate(c) && i + 1 < name.Length && char.IsLowSurrogate(name[i + 1]))
                i++;
            else if (char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029')
                return false;
        }

        return true;
    }
}
