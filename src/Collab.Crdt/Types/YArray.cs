using System.Collections;

namespace Collab.Crdt;

/// <summary>A shared list of values, shared types and subdocuments (yjs <c>Y.Array</c>).</summary>
public sealed class YArray : SharedType, IReadOnlyList<Any>
{
    /// <summary>Makes an empty array, to be inserted into a document.</summary>
    public YArray()
    {
    }

    /// <summary>Makes an array, to be inserted into a document.</summary>
    /// <param name="values">What it begins with.</param>
    public YArray(params ReadOnlySpan<Any> values)
    {
        if (values.Length > 0)
            Push(values);
    }

    /// <summary>How many values there are.</summary>
    public int Length => (int)(Branch is null ? 0 : Read().Length);

    /// <inheritdoc cref="Length"/>
    int IReadOnlyCollection<Any>.Count => Length;

    internal override TypeKind Kind => TypeKind.Array;

    /// <summary>The value at <paramref name="index"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is none.</exception>
    public Any this[int index] => ListEditor.Get(Read(), index);

    /// <summary>Inserts values before that at <paramref name="index"/>.</summary>
    /// <param name="index">The index, at most <see cref="Length"/>.</param>
    /// <param name="values">The values.</param>
    /// <exception cref="ArgumentOutOfRangeException">The index is past the end.</exception>
    public void Insert(int index, params ReadOnlySpan<Any> values)
    {
        if (Branch is null)
        {
            InsertLater(index, values.ToArray());
            return;
        }
        using var scope = Write();
        ListEditor.Insert(scope.Transaction, Branch, index, values);
    }

    /// <summary>Adds values at the end.</summary>
    /// <param name="values">The values.</param>
    public void Push(params ReadOnlySpan<Any> values)
    {
        if (Branch is null)
        {
            PushLater(values.ToArray());
            return;
        }
        using var scope = Write();
        ListEditor.Push(scope.Transaction, Branch, values);
    }

    /// <summary>Adds a value at the end.</summary>
    /// <param name="value">The value.</param>
    public void Add(Any value) => Push(value);

    /// <summary>Deletes values.</summary>
    /// <param name="index">The first of them.</param>
    /// <param name="length">How many.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are not so many.</exception>
    public void Delete(int index, int length = 1)
    {
        if (Branch is null)
        {
            DeleteLater(index, length);
            return;
        }
        using var scope = Write();
        ListEditor.Delete(scope.Transaction, Branch, index, length);
    }

    /// <summary>The values as an array.</summary>
    public Any[] ToArray()
    {
        var values = new Any[Length];
        var at = 0;
        foreach (var value in this)
            values[at++] = value;
        return values;
    }

    /// <summary>The values that the array had at a snapshot. Shared types among them are as they are now.</summary>
    /// <param name="snapshot">The state to show.</param>
    public Any[] ToArray(Snapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return [.. SnapshotContent.ValuesOf(Read(), snapshot)];
    }

    /// <inheritdoc/>
    public override Any ToJson() => Any.FromArray([.. ToArray().Select(TypeJson.Of)]);

    /// <inheritdoc/>
    public IEnumerator<Any> GetEnumerator() => ListEditor.Values(Read()).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    // In methods of their own, so that an edit of an array in a document makes no closure.
    private void InsertLater(int index, Any[] values) => Waits(() => Insert(index, values));

    private void PushLater(Any[] values) => Waits(() => Push(values));

    private void DeleteLater(int index, int length) => Waits(() => Delete(index, length));
}
