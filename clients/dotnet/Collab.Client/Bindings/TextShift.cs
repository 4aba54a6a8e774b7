using Collab.Crdt;

namespace Collab.Client;

/// <summary>How a change moves places of a text. Positions and lengths are UTF-16 code units.</summary>
/// <param name="delta">The change, as its event tells it.</param>
internal sealed class TextShift(IReadOnlyList<Delta> delta)
{
    /// <summary>Where a place is after the change. What was inserted exactly there comes behind it.</summary>
    public int Place(int place) => Place(place, isAfterInserted: false);

    /// <param name="place">The place before the change.</param>
    /// <param name="isAfterInserted">Whether what was inserted exactly there comes before it.</param>
    public int Place(int place, bool isAfterInserted)
    {
        var (before, after) = (0, 0);
        foreach (var part in delta)
        {
            if (before > place || (before == place && !(isAfterInserted && part.Kind == DeltaKind.Insert)))
                break;
            switch (part.Kind)
            {
                case DeltaKind.Insert:
                    after += part.Length;
                    break;
                case DeltaKind.Delete:
                    before += part.Length;
                    break;
                default:
                    var kept = Math.Min(part.Length, place - before);
                    before += part.Length;
                    after += kept;
                    break;
            }
        }
        return after + Math.Max(0, place - before);
    }

    /// <summary>What the change has left of a range, in order: it can have deleted some and inserted something amidst.</summary>
    public IReadOnlyList<TextRange> Parts(int start, int length)
    {
        var parts = new List<TextRange>();
        var (before, after) = (0, 0);
        foreach (var part in delta)
        {
            switch (part.Kind)
            {
                case DeltaKind.Insert:
                    after += part.Length;
                    break;
                case DeltaKind.Delete:
                    before += part.Length;
                    break;
                default:
                    Keep(part.Length);
                    break;
            }
        }
        Keep(int.MaxValue - before);
        return parts;

        void Keep(int kept)
        {
            var (from, to) = (Math.Max(start, before), Math.Min(start + length, before + kept));
            if (from < to)
                parts.Add(new TextRange(after + from - before, to - from));
            before += kept;
            after += kept;
        }
    }

    /// <summary>Where a place is that somebody saw after an edit of his own, made of the same text as the change, once both are in it.</summary>
    /// <param name="edit">The edit; the default one changes nothing.</param>
    /// <param name="place">The place after the edit.</param>
    /// <param name="isAfterInserted">Whether what the change inserted exactly there comes before it.</param>
    public int MoveBeside(TextEdit edit, int place, bool isAfterInserted)
    {
        var inserted = edit.Inserted?.Length ?? 0;
        if (place < edit.Start || inserted + edit.Deleted == 0)
            return Place(place, isAfterInserted);
        if (place <= edit.Start + inserted)
            return Place(edit.Start) + place - edit.Start;
        var moved = Place(place - inserted + edit.Deleted, isAfterInserted);
        return moved + inserted - Parts(edit.Start, edit.Deleted).Sum(part => Math.Clamp(moved - part.Start, 0, part.Length));
    }
}

/// <summary>A part of a text.</summary>
/// <param name="Start">Where it begins.</param>
/// <param name="Length">How long it is.</param>
internal readonly record struct TextRange(int Start, int Length);
