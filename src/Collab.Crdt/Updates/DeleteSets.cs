namespace Collab.Crdt;

/// <summary>Writes delete sets: clients descending, for each its ranges of deleted clocks.</summary>
internal static class DeleteSets
{
    /// <summary>Writes the union of <paramref name="ranges"/>, which are sorted in place; ranges that touch become one.</summary>
    public static void WriteMerged(Lib0Writer writer, Span<DeletedRange> ranges) =>
        WriteSorted(writer, ranges[..MergeInPlace(ranges)]);

    /// <summary>Sorts <paramref name="ranges"/> and makes one of those that touch. Returns how many are left, at the front.</summary>
    public static int MergeInPlace(Span<DeletedRange> ranges)
    {
        ranges.Sort(static (a, b) => a.Client != b.Client ? b.Client.CompareTo(a.Client) : a.Clock.CompareTo(b.Clock));
        var kept = 0;
        foreach (var range in ranges)
        {
            if (kept > 0 && ranges[kept - 1] is var last && last.Client == range.Client && last.NextClock >= range.Clock)
            {
                var end = Math.Max(last.NextClock, range.NextClock);
                ranges[kept - 1] = last with { Length = (uint)(end - last.Clock) };
            }
            else
            {
                ranges[kept++] = range;
            }
        }
        return kept;
    }

    /// <summary>Writes <paramref name="ranges"/>, grouped by client already, as they are.</summary>
    public static void WriteSorted(Lib0Writer writer, ReadOnlySpan<DeletedRange> ranges)
    {
        writer.WriteVarUint((ulong)CountClients(ranges));
        for (int first = 0, next; first < ranges.Length; first = next)
        {
            next = EndOfClient(ranges, first);
            writer.WriteVarUint(ranges[first].Client);
            writer.WriteVarUint((ulong)(next - first));
            foreach (ref readonly var range in ranges[first..next])
            {
                writer.WriteVarUint(range.Clock);
                writer.WriteVarUint(range.Length);
            }
        }
    }

    /// <summary>How many clients <paramref name="ranges"/> are of, which are grouped by client.</summary>
    public static int CountClients(ReadOnlySpan<DeletedRange> ranges)
    {
        var clients = 0;
        for (var i = 0; i < ranges.Length; i++)
            clients += i == 0 || ranges[i].Client != ranges[i - 1].Client ? 1 : 0;
        return clients;
    }

    /// <summary>Where the ranges of the client of the one at <paramref name="first"/> end.</summary>
    public static int EndOfClient(ReadOnlySpan<DeletedRange> ranges, int first)
    {
        var next = first + 1;
        while (next < ranges.Length && ranges[next].Client == ranges[first].Client)
            next++;
        return next;
    }
}
