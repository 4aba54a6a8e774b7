using System.Buffers;
using System.Runtime.CompilerServices;

namespace Collab.Crdt;

/// <summary>A growing list of plain values in a pooled array. Dispose gives the array back.</summary>
internal sealed class PooledList<T> : IDisposable
    where T : unmanaged
{
    private T[]? _items;

    public int Count { get; private set; }

    public ref T this[int index] => ref _items![index];

    public Span<T> Span => _items.AsSpan(0, Count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(in T item)
    {
        var items = _items;
        if (items is null || Count == items.Length)
            items = Grow();
        items[Count++] = item;
    }

    public void RemoveLast() => Count--;

    public void Clear() => Count = 0;

    public void Dispose()
    {
        if (_items is { } items)
            ArrayPool<T>.Shared.Return(items);
        _items = null;
        Count = 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private T[] Grow()
    {
        var larger = ArrayPool<T>.Shared.Rent(Math.Max(Count * 2, 16));
        if (_items is { } items)
        {
            items.AsSpan(0, Count).CopyTo(larger);
            ArrayPool<T>.Shared.Return(items);
        }
        return _items = larger;
    }
}
