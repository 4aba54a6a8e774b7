namespace Collab.Crdt;

/// <summary>A set of deleted units that grows, for each client as ranges in order.</summary>
internal sealed class DeletedUnits
{
    private readonly Dictionary<ulong, List<(uint Start, uint End)>> _ranges = [];

    public bool IsEmpty => _ranges.Count == 0;

    public bool Contains(ulong client, uint clock) =>
        _ranges.TryGetValue(client, out var ranges) && FirstEndingAfter(ranges, clock) is var at && at < ranges.Count && ranges[at].Start <= clock;

    /// <summary>True when all units of another set are in this one.</summary>
    public bool ContainsAll(DeletedUnits other)
    {
        foreach (var (client, others) in other._ranges)
        {
            if (!_ranges.TryGetValue(client, out var ranges))
                return false;
            foreach (var (start, end) in others)
            {
                var at = FirstEndingAfter(ranges, start);
                if (at == ranges.Count || ranges[at].Start > start || ranges[at].End < end)
                    return false;
            }
        }
        return true;
    }

    public void Add(in DeletedRange range)
    {
        if (range.Length == 0)
            return;
        if (!_ranges.TryGetValue(range.Client, out var ranges))
            _ranges.Add(range.Client, ranges = []);
        var (start, end) = (range.Clock, (uint)range.NextClock);
        // All that it touches becomes one with it.
        var first = start == 0 ? 0 : FirstEndingAfter(ranges, start - 1);
        var next = first;
        for (; next < ranges.Count && ranges[next].Start <= end; next++)
            (start, end) = (Math.Min(start, ranges[next].Start), Math.Max(end, ranges[next].End));
        ranges.RemoveRange(first, next - first);
        ranges.Insert(first, (start, end));
    }

    /// <summary>The set as the delete set of an update in format v1.</summary>
    public byte[] Encode()
    {
        var ranges = new List<DeletedRange>();
        foreach (var (client, ofClient) in _ranges)
        {
            foreach (var (start, end) in ofClient)
                ranges.Add(new DeletedRange(client, start, end - start));
        }
        using var writer = new Lib0Writer(64);
        DeleteSets.WriteMerged(writer, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(ranges));
        return writer.ToArray();
    }

    private static int FirstEndingAfter(List<(uint Start, uint End)> ranges, uint clock)
    {
        int low = 0, high = ranges.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (ranges[middle].End <= clock)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}
