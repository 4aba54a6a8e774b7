namespace Collab.Crdt;

/// <summary>The structs of one client in one update, in clock order: a range of all structs read.</summary>
internal struct Run
{
    public ulong Client;
    public int Update, Next, End;
}

/// <summary>
/// The runs of one client by the clock of their next struct. Of runs with equal clocks the one used last comes first, then
/// the one of the earlier update: the order in which Yjs' stable sort leaves them, so that overlaps come out as its bytes.
/// </summary>
internal sealed class RunQueue : IDisposable
{
    private readonly record struct Entry(uint Clock, int Used, int Run)
    {
        public bool IsBefore(in Entry other) =>
            Clock != other.Clock ? Clock < other.Clock : Used != other.Used ? Used > other.Used : Run < other.Run;
    }

    private readonly PooledList<Entry> _heap = new();

    public int Count => _heap.Count;

    /// <summary>The run whose next struct has the lowest clock.</summary>
    public int First => _heap[0].Run;

    public void Add(int run, uint clock, int used)
    {
        var entry = new Entry(clock, used, run);
        _heap.Add(entry);
        var at = _heap.Count - 1;
        while (at > 0)
        {
            var above = (at - 1) >> 1;
            if (!entry.IsBefore(_heap[above]))
                break;
            _heap[at] = _heap[above];
            at = above;
        }
        _heap[at] = entry;
    }

    /// <summary>Puts the first run back with its new clock.</summary>
    public void ReplaceFirst(uint clock, int used) => Sink(_heap.Span, new Entry(clock, used, _heap[0].Run));

    public void RemoveFirst()
    {
        var last = _heap[_heap.Count - 1];
        _heap.RemoveLast();
        if (_heap.Count > 0)
            Sink(_heap.Span, last);
    }

    public void Dispose() => _heap.Dispose();

    private static void Sink(Span<Entry> heap, in Entry entry)
    {
        var at = 0;
        while (true)
        {
            var below = 2 * at + 1;
            if (below >= heap.Length)
                break;
            if (below + 1 < heap.Length && heap[below + 1].IsBefore(heap[below]))
                below++;
            if (!heap[below].IsBefore(entry))
                break;
            heap[at] = heap[below];
            at = below;
        }
        heap[at] = entry;
    }
}
