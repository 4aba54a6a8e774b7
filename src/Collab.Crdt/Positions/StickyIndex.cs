namespace Collab.Crdt;

/// <summary>
/// A place in a shared type that stays where it is while others edit, such as a cursor or the end of a comment (yjs
/// <c>RelativePosition</c>). It names the unit beside it and not how many units stand before.
/// </summary>
/// <remarks>
/// Positions are equal when they have the same neighbour and the same association. One that was decoded does not know its type
/// when it knows a neighbour; that makes no difference.
/// </remarks>
public sealed partial record StickyIndex
{
    // The unit that it holds on to; the type alone at its end, and for Before at its start. A type is a root or an item.
    private readonly StructId? _unit, _typeItem;
    private readonly string? _root;

    private StickyIndex(StructId? unit, string? root, StructId? typeItem, Association association)
    {
        _unit = unit;
        _root = root;
        _typeItem = typeItem;
        Association = association;
    }

    /// <summary>To which neighbour it holds on.</summary>
    public Association Association { get; }

    /// <summary>The position at <paramref name="index"/>.</summary>
    /// <param name="type">A text, an array, a map or an XML node that is in a document.</param>
    /// <param name="index">The index at the moment, at most the length: UTF-16 code units of a text, values, children.</param>
    /// <param name="association">To which neighbour it is to hold on. At the end, and for <see cref="Association.Before"/> at
    /// the start, there is no neighbour, and it holds on to that end.</param>
    /// <exception cref="ArgumentOutOfRangeException">The index is past the end.</exception>
    /// <exception cref="InvalidOperationException">The type is in no document, or was deleted and collected.</exception>
    public static StickyIndex Create(SharedType type, int index, Association association = Association.After)
    {
        ArgumentNullException.ThrowIfNull(type);
        if (association is not (Association.After or Association.Before))
            throw new ArgumentOutOfRangeException(nameof(association), association, "There is no such association.");
        if (type.Branch is not { IsCollected: false } branch)
            throw new InvalidOperationException("The type is in no document.");
        branch.Doc.CheckReadable();
        if ((uint)index > branch.Length)
            throw new ArgumentOutOfRangeException(nameof(index), $"The index is {index}, the length {branch.Length}.");

        var store = branch.Doc.Store;
        StructId? unit = null;
        var neighbour = association == Association.After ? index : index - 1;
        if (neighbour >= 0 && neighbour < branch.Length)
        {
            ref var block = ref store[ListEditor.Find(branch, (uint)neighbour, out var offset)];
            unit = new StructId(store.Clients[block.Client].Id, block.Clock + offset);
        }
        if (branch.IsRoot)
            return new StickyIndex(unit, branch.Name, null, association);
        ref var item = ref store[branch.Item];
        return new StickyIndex(unit, null, new StructId(store.Clients[item.Client].Id, item.Clock), association);
    }

    /// <summary>Where the position is now.</summary>
    /// <param name="doc">Any replica of the document.</param>
    /// <param name="followUndone">
    /// Whether to go to where an undo has inserted the neighbour again. Only the replica that has undone knows of that, so take
    /// false where all replicas must come to the same.
    /// </param>
    /// <returns>
    /// The type and the index in it; null when the document does not have the place: it has not come yet, or it was deleted and
    /// collected, or the application has not asked for its root yet, so that nobody knows of which type that is.
    /// </returns>
    public (SharedType Type, int Index)? Resolve(Doc doc, bool followUndone = true)
    {
        ArgumentNullException.ThrowIfNull(doc);
        doc.CheckReadable();
        var store = doc.Store;
        if (_unit is { } unit)
            return ResolveUnit(store, unit, followUndone);

        Branch? branch = null;
        if (_root is not null)
        {
            store.Roots.TryGetValue(_root, out branch);
        }
        else if (Find(store, _typeItem!.Value, followUndone, out _) is var handle and not 0)
        {
            ref var block = ref store[handle];
            branch = block.Kind == StructKind.Type ? store.TypeOf(block) : null;
        }
        return Place(branch, Association == Association.After ? branch?.Length ?? 0 : 0);
    }

    /// <summary>Equal in neighbour and association.</summary>
    /// <param name="other">Another position.</param>
    public bool Equals(StickyIndex? other) =>
        other is not null && Association == other.Association && _unit == other._unit
        && (_unit is not null || (_root == other._root && _typeItem == other._typeItem));

    /// <inheritdoc/>
    public override int GetHashCode() =>
        _unit is not null ? HashCode.Combine(Association, _unit) : HashCode.Combine(Association, _root, _typeItem);

    /// <summary>The position as JSON.</summary>
    public override string ToString() => ToJson().ToString();

    private (SharedType Type, int Index)? ResolveUnit(BlockStore store, StructId unit, bool followUndone)
    {
        var handle = Find(store, unit, followUndone, out var offset);
        if (handle == 0 || store[handle].IsGc)
            return null;
        ref var block = ref store[handle];
        var branch = store.ParentOf(block);
        if (!branch.IsRoot && store[branch.Item].IsDeleted)
            return Place(branch, 0);
        var index = block.VisibleLength == 0 ? 0 : offset + (Association == Association.After ? 0u : 1u);
        // Of the values of a key only the last is visible, so nothing stands before it.
        if (block.Key == 0)
            index += ListEditor.IndexOf(branch, handle);
        return Place(branch, index);
    }

    private static (SharedType Type, int Index)? Place(Branch? branch, uint index) =>
        branch is null or { Kind: TypeKind.Untyped } ? null : (SharedType.ViewOf(branch), (int)index);

    /// <summary>The block that holds a unit, or the one in which an undo has inserted it again; 0 when the unit has not come yet.</summary>
    private static int Find(BlockStore store, StructId unit, bool followUndone, out uint offset)
    {
        offset = 0;
        if (!store.TryGetClient(unit.Client, out var client) || unit.Clock >= store.State(client))
            return 0;
        var id = new BlockId(client, unit.Clock);
        while (true)
        {
            var handle = store.Find(id);
            ref var block = ref store[handle];
            offset = id.Clock - block.Clock;
            if (!followUndone || !block.IsRedone || !store.Redone.TryGetValue(handle, out var again))
                return handle;
            id = again with { Clock = again.Clock + offset };
        }
    }
}
