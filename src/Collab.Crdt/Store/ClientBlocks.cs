namespace Collab.Crdt;

/// <summary>
/// The blocks of one client by clock, in chunks: appending is constant, a split in the middle moves at most one chunk.
/// Clocks have no gaps. A position in it is a <see cref="Cursor"/>, valid until the next change.
/// </summary>
internal sealed class ClientBlocks(ulong id)
{
    private const int ChunkSize = 512;

    private readonly List<Chunk> _chunks = [];

    // The chunk that was found last; most lookups are near the one before.
    private int _recent;

    /// <summary>The client id, 53 bits.</summary>
    public ulong Id { get; } = id;

    /// <summary>The next clock: how many units the client has inserted.</summary>
    public uint State { get; private set; }

    /// <summary>How many blocks there are.</summary>
    public int Count { get; private set; }

    private struct Entry
    {
        public uint Clock;
        public int Block;
    }

    private sealed class Chunk(int capacity)
    {
        public Entry[] Entries = new Entry[capacity];
        public int Count;

        public uint First => Entries[0].Clock;
    }

    /// <summary>Where a block stands in the list.</summary>
    public readonly record struct Cursor(int Chunk, int Entry);

    /// <summary>The cursor of the last block.</summary>
    public Cursor Last => new(_chunks.Count - 1, _chunks[^1].Count - 1);

    public int this[Cursor cursor] => _chunks[cursor.Chunk].Entries[cursor.Entry].Block;

    public static bool IsFirst(Cursor cursor) => cursor is { Chunk: 0, Entry: 0 };

    /// <summary>Makes room for <paramref name="count"/> blocks when there are none yet.</summary>
    public void Reserve(int count)
    {
        if (_chunks.Count == 0 && count > 0)
            _chunks.Add(new Chunk(Math.Min(count, ChunkSize)));
    }

    /// <summary>Adds a block at the end.</summary>
    public void Append(int block, uint clock, uint length)
    {
        var chunk = _chunks.Count > 0 ? _chunks[^1] : null;
        if (chunk is null || chunk.Count == ChunkSize)
            _chunks.Add(chunk = new Chunk(chunk is null ? 4 : ChunkSize));
        if (chunk.Count == chunk.Entries.Length)
            Array.Resize(ref chunk.Entries, Math.Min(ChunkSize, chunk.Entries.Length * 2));
        chunk.Entries[chunk.Count++] = new Entry { Clock = clock, Block = block };
        Count++;
        State = clock + length;
    }

    /// <summary>The block that holds <paramref name="clock"/>, which must be below <see cref="State"/>.</summary>
    public int Find(uint clock)
    {
        var cursor = Seek(clock);
        return _chunks[cursor.Chunk].Entries[cursor.Entry].Block;
    }

    /// <summary>Where the block that holds <paramref name="clock"/> stands.</summary>
    public Cursor Seek(uint clock)
    {
        var at = SeekChunk(clock);
        var chunk = _chunks[at];
        var entries = chunk.Entries;
        int low = 0, high = chunk.Count - 1;
        // The last block is the one looked for when somebody types.
        if (entries[high].Clock <= clock)
            return new Cursor(at, high);
        // Without a branch in the loop: which way it goes cannot be predicted.
        for (var length = high; length > 1;)
        {
            var half = length >>> 1;
            low += entries[low + half].Clock <= clock ? half : 0;
            length -= half;
        }
        return new Cursor(at, low);
    }

    /// <summary>Goes to the next block; false at the end.</summary>
    public bool MoveNext(ref Cursor cursor)
    {
        if (cursor.Entry + 1 < _chunks[cursor.Chunk].Count)
        {
            cursor = cursor with { Entry = cursor.Entry + 1 };
            return true;
        }
        if (cursor.Chunk + 1 == _chunks.Count)
            return false;
        cursor = new Cursor(cursor.Chunk + 1, 0);
        return true;
    }

    /// <summary>Goes to the block before; false at the start.</summary>
    public bool MovePrevious(ref Cursor cursor)
    {
        if (cursor.Entry > 0)
        {
            cursor = cursor with { Entry = cursor.Entry - 1 };
            return true;
        }
        if (cursor.Chunk == 0)
            return false;
        cursor = new Cursor(cursor.Chunk - 1, _chunks[cursor.Chunk - 1].Count - 1);
        return true;
    }

    /// <summary>How many blocks there are from <paramref name="cursor"/> to the end.</summary>
    public int CountFrom(Cursor cursor)
    {
        var count = _chunks[cursor.Chunk].Count - cursor.Entry;
        for (var i = cursor.Chunk + 1; i < _chunks.Count; i++)
            count += _chunks[i].Count;
        return count;
    }

    /// <summary>Puts the right half of a split behind the block at <paramref name="left"/>.</summary>
    public void InsertAfter(Cursor left, int block, uint clock)
    {
        var chunk = _chunks[left.Chunk];
        var at = left.Entry + 1;
        if (chunk.Count == ChunkSize)
        {
            var upper = new Chunk(ChunkSize) { Count = ChunkSize / 2 };
            Array.Copy(chunk.Entries, ChunkSize / 2, upper.Entries, 0, ChunkSize / 2);
            chunk.Count = ChunkSize / 2;
            _chunks.Insert(left.Chunk + 1, upper);
            if (at > ChunkSize / 2)
            {
                chunk = upper;
                at -= ChunkSize / 2;
            }
        }
        if (chunk.Count == chunk.Entries.Length)
            Array.Resize(ref chunk.Entries, Math.Min(ChunkSize, chunk.Entries.Length * 2));
        Array.Copy(chunk.Entries, at, chunk.Entries, at + 1, chunk.Count - at);
        chunk.Entries[at] = new Entry { Clock = clock, Block = block };
        chunk.Count++;
        Count++;
    }

    /// <summary>Takes out the block at <paramref name="cursor"/>, which its left neighbour has swallowed.</summary>
    public void Remove(Cursor cursor)
    {
        var chunk = _chunks[cursor.Chunk];
        chunk.Count--;
        Count--;
        Array.Copy(chunk.Entries, cursor.Entry + 1, chunk.Entries, cursor.Entry, chunk.Count - cursor.Entry);
        if (chunk.Count == 0)
        {
            _chunks.RemoveAt(cursor.Chunk);
            _recent = 0;
        }
    }

    /// <summary>
    /// Merges the block at <paramref name="cursor"/> into those left of it and goes to the one before the leftmost of them.
    /// </summary>
    public void MergeAndStepLeft(BlockStore store, ref Cursor cursor)
    {
        store.MergeWithLefts(this, ref cursor);
        if (!MovePrevious(ref cursor))
            cursor = default;
    }

    private int SeekChunk(uint clock)
    {
        var chunks = _chunks;
        var recent = _recent;
        if ((uint)recent < (uint)chunks.Count && chunks[recent].First <= clock && (recent + 1 == chunks.Count || chunks[recent + 1].First > clock))
            return recent;
        int low = 0, high = chunks.Count - 1;
        while (low < high)
        {
            var middle = (low + high + 1) >>> 1;
            if (chunks[middle].First <= clock)
                low = middle;
            else
                high = middle - 1;
        }
        return _recent = low;
    }
}
