using System.Collections.ObjectModel;
using Collab.Crdt;

namespace Collab.Client;

/// <summary>
/// A shared array as an <see cref="ObservableCollection{T}"/>: a list control binds to it, others' changes appear in it one by one, and
/// what is changed in it is changed in the array.
/// </summary>
/// <remarks>
/// For use on the thread of the connection's handlers. Its transactions have the list as their origin.
/// </remarks>
/// <typeparam name="T">What its items are for the program.</typeparam>
public sealed class SharedList<T> : ObservableCollection<T>, IDisposable
{
    private readonly YArray _array;
    private readonly Func<Any, T> _read;
    private readonly Func<T, Any> _write;
    private readonly IDisposable _observation;
    // Whether a change comes from the array, so that it is not to be written into it.
    private bool _isFollowing;

    /// <summary>Makes a list of what is in the array.</summary>
    /// <param name="array">The array; it must be in a document.</param>
    /// <param name="read">Makes an item of a value of the array.</param>
    /// <param name="write">Makes a value of the array of an item.</param>
    public SharedList(YArray array, Func<Any, T> read, Func<T, Any> write)
    {
        ArgumentNullException.ThrowIfNull(array);
        ArgumentNullException.ThrowIfNull(read);
        ArgumentNullException.ThrowIfNull(write);
        (_array, _read, _write) = (array, read, write);
        Follow(() =>
        {
            foreach (var value in array)
                Add(read(value));
        });
        _observation = array.Observe(OnArrayChanged);
    }

    /// <summary>Ends the binding; list and array stay as they are.</summary>
    public void Dispose() => _observation.Dispose();

    /// <inheritdoc/>
    protected override void InsertItem(int index, T item)
    {
        Write(() => _array.Insert(index, _write(item)));
        base.InsertItem(index, item);
    }

    /// <inheritdoc/>
    protected override void RemoveItem(int index)
    {
        Write(() => _array.Delete(index, 1));
        base.RemoveItem(index);
    }

    /// <inheritdoc/>
    protected override void SetItem(int index, T item)
    {
        Write(() => Replace(index, index, item));
        base.SetItem(index, item);
    }

    /// <inheritdoc/>
    protected override void MoveItem(int oldIndex, int newIndex)
    {
        Write(() => Replace(oldIndex, newIndex, this[oldIndex]));
        base.MoveItem(oldIndex, newIndex);
    }

    /// <inheritdoc/>
    protected override void ClearItems()
    {
        Write(() => _array.Delete(0, _array.Length));
        base.ClearItems();
    }

    private void Replace(int oldIndex, int newIndex, T item)
    {
        var value = _write(item);
        _array.Delete(oldIndex, 1);
        _array.Insert(newIndex, value);
    }

    private void OnArrayChanged(TypeEvent change)
    {
        if (ReferenceEquals(change.Transaction.Origin, this))
            return;
        Follow(() =>
        {
            var index = 0;
            foreach (var part in change.Delta)
            {
                switch (part.Kind)
                {
                    case DeltaKind.Insert:
                        foreach (var value in part.Values)
                            Insert(index++, _read(value));
                        break;
                    case DeltaKind.Delete:
                        for (var i = 0; i < part.Length; i++)
                            RemoveAt(index);
                        break;
                    default:
                        index += part.Length;
                        break;
                }
            }
        });
    }

    private void Write(Action edit)
    {
        if (!_isFollowing)
            _array.Doc!.Transact(_ => edit(), this);
    }

    private void Follow(Action change)
    {
        var former = _isFollowing;
        _isFollowing = true;
        try
        {
            change();
        }
        finally
        {
            _isFollowing = former;
        }
    }
}
