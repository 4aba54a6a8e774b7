namespace Collab.Crdt;

/// <summary>A shared list of XML nodes: elements and texts (yjs <c>Y.XmlFragment</c>).</summary>
public class XmlFragment : SharedType
{
    /// <summary>Makes an empty fragment, to be inserted into a document.</summary>
    public XmlFragment()
    {
    }

    /// <summary>How many children there are.</summary>
    public int Length => (int)(Branch is null ? 0 : Read().Length);

    /// <summary>The children in order; what others have put there that is no shared type is left out.</summary>
    public IEnumerable<SharedType> Children =>
        ListEditor.Values(Read()).Where(value => value.Kind == AnyKind.Type).Select(value => value.AsType<SharedType>());

    /// <summary>The first child; null when there is none.</summary>
    public SharedType? FirstChild => Length == 0 ? null : this[0];

    internal override TypeKind Kind => TypeKind.XmlFragment;

    /// <summary>The child at <paramref name="index"/>; null when others have put something there that is no shared type.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is none.</exception>
    public SharedType? this[int index] =>
        ListEditor.Get(Read(), index) is { Kind: AnyKind.Type } child ? child.AsType<SharedType>() : null;

    /// <summary>Inserts children before that at <paramref name="index"/>.</summary>
    /// <param name="index">The index, at most <see cref="Length"/>.</param>
    /// <param name="children">Elements and texts that are in no document yet.</param>
    /// <exception cref="ArgumentOutOfRangeException">The index is past the end.</exception>
    public void Insert(int index, params ReadOnlySpan<SharedType> children)
    {
        var values = new Any[children.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = children[i];
        if (Waits(() => InsertValues(index, values)))
            return;
        InsertValues(index, values);
    }

    /// <summary>Adds children at the end.</summary>
    /// <param name="children">Elements and texts that are in no document yet.</param>
    public void Push(params ReadOnlySpan<SharedType> children)
    {
        var values = new Any[children.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = children[i];
        if (Waits(() => PushValues(values)))
            return;
        PushValues(values);
    }

    /// <summary>Deletes children.</summary>
    /// <param name="index">The first of them.</param>
    /// <param name="length">How many.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are not so many.</exception>
    public void Delete(int index, int length = 1)
    {
        if (Waits(() => Delete(index, length)))
            return;
        using var scope = Write();
        ListEditor.Delete(scope.Transaction, Branch!, index, length);
    }

    /// <summary>The children that there were at a snapshot. In themselves they are as they are now.</summary>
    /// <param name="snapshot">The state to show.</param>
    public IReadOnlyList<SharedType> ChildrenAt(Snapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return [.. SnapshotContent.ValuesOf(Read(), snapshot).Select(value => value.AsType<SharedType>())];
    }

    /// <summary>The children as XML text, one after another.</summary>
    public override string ToString() => XmlWriter.Write(Read());

    /// <summary>The XML text, as a string.</summary>
    public override Any ToJson() => ToString();

    private void InsertValues(int index, Any[] values)
    {
        using var scope = Write();
        ListEditor.Insert(scope.Transaction, Branch!, index, values);
    }

    private void PushValues(Any[] values)
    {
        using var scope = Write();
        ListEditor.Push(scope.Transaction, Branch!, values);
    }
}
