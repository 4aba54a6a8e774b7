using System.Runtime.InteropServices;

namespace Collab.Crdt;

/// <summary>A run of units of one client: the client as an index into <see cref="BlockStore.Clients"/>.</summary>
internal readonly record struct ClientRange(int Client, uint Clock, uint Length) : IComparable<ClientRange>
{
    public uint NextClock => Clock + Length;

    public int CompareTo(ClientRange other) => Client != other.Client ? Client.CompareTo(other.Client) : Clock.CompareTo(other.Clock);
}

/// <summary>
/// A set of units as ranges (yjs <c>DeleteSet</c>). Ranges are added in any order; what has come since the last reading is
/// sorted in when it is read again.
/// </summary>
internal sealed class RangeSet
{
    private List<ClientRange> _ranges = [];

    // So many ranges from the start on are in order and do not touch one another.
    private int _sorted;

    // The clients in the order in which they were first added; null while that is the order of the ranges.
    private List<int>? _clients;

    public bool IsEmpty => _ranges.Count == 0;

    /// <summary>Makes room for so many ranges when there are none yet.</summary>
    public void Reserve(int ranges)
    {
        if (_ranges.Count == 0)
            _ranges.EnsureCapacity(ranges);
    }

    public void Add(int client, uint clock, uint length)
    {
        var count = _ranges.Count;
        if (count > 0)
        {
            var last = _ranges[count - 1];
            if (last.Client == client && last.NextClock == clock)
            {
                _ranges[count - 1] = last with { Length = last.Length + length };
                return;
            }
            if (_sorted == count && (last.Client < client || (last.Client == client && last.NextClock < clock)))
                _sorted++;
        }
        else
        {
            _sorted = 1;
        }
        _ranges.Add(new ClientRange(client, clock, length));
    }

    public void AddAll(RangeSet other)
    {
        foreach (var range in other.InOrderOfClients())
            Add(range.Client, range.Clock, range.Length);
    }

    public void Clear()
    {
        _ranges.Clear();
        _sorted = 0;
        _clients = null;
    }

    /// <summary>The ranges by clock, but the clients in the order in which they were first added.</summary>
    public IEnumerable<ClientRange> InOrderOfClients()
    {
        Sorted();
        if (_clients is null)
            return _ranges;
        var byClient = _ranges.ToLookup(range => range.Client);
        return _clients.SelectMany(client => byClient[client]);
    }

    /// <summary>The ranges by client index and clock; those that touch are one.</summary>
    public ReadOnlySpan<ClientRange> Sorted()
    {
        if (_sorted < _ranges.Count)
            SortIn();
        return CollectionsMarshal.AsSpan(_ranges);
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

    private void SortIn()
    {
        if (_clients is not null || _ranges[0].Client != _ranges[^1].Client || _ranges.Exists(range => range.Client != _ranges[0].Client))
            _clients = [.. (_clients ?? []).Concat(_ranges.Select(range => range.Client)).Distinct()];
        var added = CollectionsMarshal.AsSpan(_ranges)[_sorted..];
        added.Sort();
        var before = CollectionsMarshal.AsSpan(_ranges)[.._sorted];
        var merged = new List<ClientRange>(_ranges.Count);
        int a = 0, b = 0;
        while (a < before.Length || b < added.Length)
        {
            var next = b == added.Length || (a < before.Length && before[a].CompareTo(added[b]) <= 0) ? before[a++] : added[b++];
            if (merged.Count > 0 && merged[^1] is var last && last.Client == next.Client && last.NextClock >= next.Clock)
                merged[^1] = last with { Length = Math.Max(last.NextClock, next.NextClock) - last.Clock };
            else
                merged.Add(next);
        }
        _ranges = merged;
        _sorted = merged.Count;
    }
}
