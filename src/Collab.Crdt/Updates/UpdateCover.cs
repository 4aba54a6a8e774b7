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

    /// <summary>The clients of whom an update inserts something that another does not.</summary>
    public static List<ulong> Inserters(ReadOnlySpan<byte> update, ReadOnlySpan<byte> known)
    {
        using PooledList<DeletedRange> inserts = new(), deletes = new(), knownInserts = new(), knownDeletes = new();
        Read(update, inserts, deletes);
        Read(known, knownInserts, knownDeletes);
        var clients = new List<ulong>();
        var wanted = inserts.Span[..DeleteSets.MergeInPlace(inserts.Span)];
        var held = knownInserts.Span[..DeleteSets.MergeInPlace(knownInserts.Span)];
        var at = 0;
        foreach (ref readonly var range in wanted)
        {
            if (!Holds(held, range, ref at) && (clients.Count == 0 || clients[^1] != range.Client))
                clients.Add(range.Client);
        }
        return clients;
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
            if (!Holds(ranges, other, ref at))
                return false;
        }
        return true;
    }

    // Both are in order, and whatever touches is one range: the only one that can hold the other is the first that reaches its end.
    private static bool Holds(ReadOnlySpan<DeletedRange> ranges, in DeletedRange other, ref int at)
    {
        while (at < ranges.Length && (ranges[at].Client > other.Client
            || (ranges[at].Client == other.Client && ranges[at].NextClock < other.NextClock)))
        {
            at++;
        }
        return at < ranges.Length && ranges[at].Client == other.Client && ranges[at].Clock <= other.Clock;
    }
}
