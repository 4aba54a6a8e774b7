namespace Collab.Crdt;

/// <summary>A run of units of one client: the client as an index into <see cref="BlockStore.Clients"/>.</summary>
internal readonly record struct ClientRange(int Client, uint Clock, uint Length)
{
    public uint NextClock => Clock + Length;
}

/// <summary>A set of units as ranges (yjs <c>DeleteSet</c>). Ranges are added in any order; reading sorts and joins them first.</summary>
internal sealed class RangeSet
{
    private readonly List<ClientRange> _ranges = [];
    private bool _isSorted = true;

    public bool IsEmpty => _ranges.Count == 0;

    public void Add(int client, uint clock, uint length)
    {
        if (_ranges.Count > 0)
        {
            var last = _ranges[^1];
            if (last.Client == client && last.NextClock == clock)
            {
                _ranges[^1] = last with { Length = last.Length + length };
                return;
            }
            _isSorted &= last.Client < client || (last.Client == client && last.NextClock < clock);
        }
        _ranges.Add(new ClientRange(client, clock, length));
    }

    public void AddAll(RangeSet other)
    {
        foreach (var range in other._ranges)
            Add(range.Client, range.Clock, range.Length);
    }

    public void Clear()
    {
        _ranges.Clear();
        _isSorted = true;
    }

    /// <summary>The ranges by client index and clock; those that touch are one.</summary>
    public ReadOnlySpan<ClientRange> Sorted()
    {
        if (!_isSorted)
        {
            _ranges.Sort(static (a, b) => a.Client != b.Client ? a.Client.CompareTo(b.Client) : a.Clock.CompareTo(b.Clock));
            var kept = 0;
            for (var i = 0; i < _ranges.Count; i++)
            {
                var range = _ranges[i];
                if (kept > 0 && _ranges[kept - 1] is var last && last.Client == range.Client && last.NextClock >= range.Clock)
                    _ranges[kept - 1] = last with { Length = Math.Max(last.NextClock, range.NextClock) - last.Clock };
                else
                    _ranges[kept++] = range;
            }
            _ranges.RemoveRange(kept, _ranges.Count - kept);
            _isSorted = true;
        }
        return System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_ranges);
    }

    public bool Contains(BlockId id)
    {
        var ranges = Sorted();
        int low = 0, high = ranges.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            ref readonly var range = ref ranges[middle];
            if (range.Client < id.Client || (range.Client == id.Client && range.Clock <= id.Clock))
                low = middle + 1;
            else
                high = middle;
        }
        return low > 0 && ranges[low - 1].Client == id.Client && id.Clock < ranges[low - 1].NextClock;
    }
}
