namespace Collab.Crdt;

/// <summary>Compares what two updates hold: which units they insert and which they delete, not in what form.</summary>
internal static class UpdateCover
{
    /// <summary>Whether one update inserts and deletes whatever the other does.</summary>
    public static bool Covers(ReadOnlySpan<byte> update, ReadOnlySpan<byte> other)
    {
        using PooledList<DeletedRange> inserts = new(), deletes = new(), otherInserts = new(), otherDeletes = new();
        Read(update, inserts, deletes);
        Read(other, otherInserts, otherDeletes);
        return Covers(inserts.Span, otherInserts.Span) && Covers(deletes.Span, otherDeletes.Span);
    }

    private static void Read(ReadOnlySpan<byte> update, PooledList<DeletedRange> inserts, PooledList<DeletedRange> deletes)
    {
        var reader = new UpdateReader(update);
        StructHeader header = default;
        while (reader.NextSection())
        {
            while (reader.NextStruct(ref header))
            {
                if (header.Kind != StructKind.Skip)
                    Add(inserts, new DeletedRange(reader.Client, header.Clock, header.Length));
            }
        }
        var set = reader.DeleteSet();
        while (set.Next(out var range))
            Add(deletes, range);
    }

    // Most structs follow the one before them: then they are one range at once.
    private static void Add(PooledList<DeletedRange> ranges, in DeletedRange range)
    {
        if (range.Length == 0)
            return;
        if (ranges.Count > 0 && ranges[ranges.Count - 1] is var last && last.Client == range.Client && last.NextClock == range.Clock)
            ranges.Span[^1] = last with { Length = last.Length + range.Length };
        else
            ranges.Add(range);
    }

    private static bool Covers(Span<DeletedRange> ranges, Span<DeletedRange> others)
    {
        ranges = ranges[..DeleteSets.MergeInPlace(ranges)];
        others = others[..DeleteSets.MergeInPlace(others)];
        var at = 0;
        foreach (ref readonly var other in others)
        {
            // Both are in order, and whatever touches is one range: the only one that can hold the other is the first that reaches its end.
            while (at < ranges.Length && (ranges[at].Client > other.Client
                || (ranges[at].Client == other.Client && ranges[at].NextClock < other.NextClock)))
            {
                at++;
            }
            if (at == ranges.Length || ranges[at].Client != other.Client || ranges[at].Clock > other.Clock)
                return false;
        }
        return true;
    }
}
