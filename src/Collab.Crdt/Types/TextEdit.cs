namespace Collab.Crdt;

/// <summary>One edit of a text: at a place some code units go and others come. Positions are UTF-16 code units.</summary>
/// <param name="Start">Where.</param>
/// <param name="Deleted">How many go.</param>
/// <param name="Inserted">What comes in their place.</param>
public readonly record struct TextEdit(int Start, int Deleted, string Inserted)
{
    /// <summary>
    /// The smallest edit that makes one text of another. Where there are several (a letter typed beside equal ones), it is the one that the
    /// caret speaks for: what is behind it stayed as it was.
    /// </summary>
    /// <param name="before">The one text.</param>
    /// <param name="after">The other.</param>
    /// <param name="caret">Where the caret is in <paramref name="after"/>; its end when there is none.</param>
    public static TextEdit Between(string before, string after, int caret)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        var smallest = Cut(before, after, Math.Min(before.Length, after.Length));
        var atCaret = Cut(before, after, Math.Min(before.Length, after.Length - Math.Clamp(caret, 0, after.Length)));
        return atCaret.Size <= smallest.Size ? atCaret : smallest;
    }

    private int Size => Deleted + Inserted.Length;

    // No code point is cut in two: neither half of it means anything, and the two could come to different neighbours.
    private static TextEdit Cut(string before, string after, int maxSuffix)
    {
        var suffix = CommonSuffix(before, after, maxSuffix);
        if (suffix > 0 && char.IsLowSurrogate(before[^suffix]))
            suffix--;
        var prefix = before.AsSpan()[..^suffix].CommonPrefixLength(after.AsSpan()[..^suffix]);
        if (prefix > 0 && char.IsHighSurrogate(before[prefix - 1]))
            prefix--;
        return new TextEdit(prefix, before.Length - suffix - prefix, after[prefix..^suffix]);
    }

    private static int CommonSuffix(string one, string other, int max)
    {
        var length = 0;
        while (length < max && one[^(length + 1)] == other[^(length + 1)])
            length++;
        return length;
    }
}
