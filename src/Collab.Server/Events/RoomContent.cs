using Collab.Server.Rooms;

namespace Collab.Server.Events;

/// <summary>What the log of one room has for events that follow each other: read ahead, since what the next one speaks of mostly comes next.</summary>
internal sealed class RoomContent(IRoomLog log, int maxBytes)
{
    private const int ReadAhead = 256;

    private LogPage? _page;

    /// <summary>
    /// The entries after an offset, up to those of the note: as many as are allowed and fit, at least one, dense from the offset on. They are the same
    /// whatever was read ahead.
    /// </summary>
    /// <returns>None when they are not kept any more.</returns>
    /// <exception cref="RoomLogUnavailableException">The log cannot be read now.</exception>
    public async ValueTask<IReadOnlyList<LogEntry>> ReadAsync(EventNote note, long after, int max, CancellationToken cancellationToken)
    {
        var (entries, isWhole) = Take(note, after, max);
        if (isWhole)
            return entries;
        var count = (int)Math.Clamp(note.Through - after, ReadAhead, Math.Max(max, ReadAhead));
        // One byte more, to see whether there is more than fits.
        _page = await log.ReadAsync(new RoomKey(note.Kind, note.Room), after, count, maxBytes + 1L, cancellationToken);
        return Take(note, after, max).Entries;
    }

    private (List<LogEntry> Entries, bool IsWhole) Take(EventNote note, long after, int max)
    {
        var taken = new List<LogEntry>();
        // Of what a snapshot stands for, single entries cannot be told.
        if (_page is not { Snapshot: null, Entries.Count: > 0 } page || page.Epoch != note.Epoch)
            return (taken, false);
        var bytes = 0L;
        for (var i = after + 1 - page.Entries[0].Offset; i >= 0 && i < page.Entries.Count; i++)
        {
            var entry = page.Entries[(int)i];
            bytes += entry.Data.Length;
            if (taken.Count == max || (bytes > maxBytes && taken.Count > 0))
                return (taken, true);
            taken.Add(entry);
            if (entry.Offset == note.Through)
                return (taken, true);
        }

        return (taken, false);
    }
}
