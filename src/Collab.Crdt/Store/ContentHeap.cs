using System.Runtime.CompilerServices;

namespace Collab.Crdt;

/// <summary>
/// Holds the contents of many blocks in one array, each as a slice. Splitting a block costs nothing; a block whose slice is
/// the last grows in place, which is what typing does. What is freed in the middle is dead until the store compacts.
/// </summary>
internal sealed class ContentHeap<T>
{
    private T[] _items = [];

    public int Used { get; private set; }

    public int Dead { get; private set; }

    /// <summary>True when more than half is dead, and enough of it to be worth the walk.</summary>
    public bool WantsCompaction => Dead > 4096 && Dead > Used / 2;

    public ref T this[int offset] => ref _items[offset];

    public Span<T> Slice(int offset, int length) => _items.AsSpan(offset, length);

    /// <summary>Makes room for <paramref name="more"/> items, exactly so when the heap is empty.</summary>
    public void Reserve(int more)
    {
        var wanted = checked(Used + more);
        if (wanted > _items.Length)
            Array.Resize(ref _items, Used == 0 ? wanted : Math.Max(wanted, (int)Math.Min(Array.MaxLength, _items.Length + (_items.Length >> 1) + 16L)));
    }

    /// <summary>Adds items at the end.</summary>
    /// <returns>Their offset.</returns>
    public int Append(ReadOnlySpan<T> items)
    {
        var offset = Used;
        items.CopyTo(Extend(items.Length));
        return offset;
    }

    public int Append(T item)
    {
        if (Used == _items.Length)
            Reserve(1);
        _items[Used] = item;
        return Used++;
    }

    /// <summary>Adds <paramref name="length"/> items at the end, to be filled in.</summary>
    public Span<T> Extend(int length)
    {
        if (length > _items.Length - Used)
            Reserve(length);
        var added = _items.AsSpan(Used, length);
        Used += length;
        return added;
    }

    /// <summary>
    /// Makes one slice of two, the second after the first. Nothing moves when they lie so already; when the second is the last
    /// it is moved up or the first is copied before it.
    /// </summary>
    /// <returns>The offset of the joined slice.</returns>
    public int Join(int first, int firstLength, int second, int secondLength)
    {
        if (first + firstLength == second)
            return first;
        if (first + firstLength == Used)
        {
            Reserve(secondLength);
            Append(_items.AsSpan(second, secondLength));
            Free(second, secondLength);
            return first;
        }
        Reserve(firstLength + secondLength);
        var joined = Append(_items.AsSpan(first, firstLength));
        Append(_items.AsSpan(second, secondLength));
        Free(first, firstLength);
        Free(second, secondLength);
        return joined;
    }

    public void Free(int offset, int length)
    {
        if (RuntimeHelpers.IsReferenceOrContainsReferences<T>())
            _items.AsSpan(offset, length).Clear();
        if (offset + length == Used)
            Used = offset;
        else
            Dead += length;
    }

    /// <summary>Starts anew with room for what is alive; the caller appends it from the array returned.</summary>
    public T[] Restart()
    {
        var old = _items;
        var alive = Used - Dead;
        _items = new T[alive + (alive >> 2)];
        Used = Dead = 0;
        return old;
    }
}
