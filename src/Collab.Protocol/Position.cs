using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Collab.Protocol;

/// <summary>
/// A place in the log of one room: which log (the epoch) and how far into it (the offset).
/// On the wire it is the opaque string <c>epoch-offset</c>, such as <c>9f3c-42</c>, and the <c>id:</c> of an SSE event.
/// </summary>
/// <param name="Epoch">
/// Names one life of the log, in lower-case hexadecimal. A log that was deleted or lost gets a new one, so that a position of the
/// old log cannot be mistaken for one of the new.
/// </param>
/// <param name="Offset">How many entries the log had received up to and including this one; 0 is before the first.</param>
public readonly record struct Position(string Epoch, long Offset)
{
    /// <summary>The longest text that <see cref="TryParse"/> looks at, in UTF-16 code units.</summary>
    public const int MaxLength = 64;

    /// <summary>Whether both positions are of one log, so that their offsets can be compared.</summary>
    public bool IsSameLogAs(Position other) => string.Equals(Epoch, other.Epoch, StringComparison.Ordinal);

    /// <summary>Reads the wire form.</summary>
    /// <returns>False when <paramref name="text"/> is not a position.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out Position position)
    {
        position = default;
        if (text is null || text.Length > MaxLength)
            return false;
        var dash = text.LastIndexOf('-');
        if (dash <= 0 || !long.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
            return false;
        foreach (var c in text.AsSpan(0, dash))
        {
            if (!char.IsAsciiHexDigitLower(c))
                return false;
        }

        position = new Position(text[..dash], offset);
        return true;
    }

    /// <summary>The wire form.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Epoch}-{Offset}");
}
