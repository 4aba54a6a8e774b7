namespace Collab.Crdt;

/// <summary>
/// Decides whether bytes are an update that a Yjs 13 client can have made. What the structs say alone is checked by the reader;
/// here is what needs two of them: a parent must be a shared type, and types must not nest without end.
/// </summary>
internal static class UpdateValidator
{
    /// <summary>An item that names its parent by id, at <c>Offset</c>; <c>IsType</c> when it is itself a shared type.</summary>
    private readonly record struct Child(StructId Id, StructId Parent, int Offset, bool IsType);

    /// <summary>Neighbouring clocks whose structs cannot be parents: text, values, everything but types and what was deleted.</summary>
    private readonly record struct Leaves(ulong Client, uint Clock, uint NextClock);

    /// <summary>Throws <see cref="InvalidUpdateException"/> at the first fault.</summary>
    /// <param name="update">The bytes.</param>
    /// <param name="limits">The limits.</param>
    /// <param name="dialect">Whether values may be written as Any (see <see cref="StructKind.EmbedAny"/>).</param>
    /// <param name="sections">Takes the sections, for whoever wants to apply the update; those without structs are left out.</param>
    /// <returns>What there is to apply.</returns>
    public static UpdateContents Check(ReadOnlySpan<byte> update, UpdateLimits limits, bool dialect = false, PooledList<UpdateSection>? sections = null)
    {
        if (update.Length > limits.MaxBytes)
            throw Faults.At(UpdateFaultKind.TooLarge, 0, $"{update.Length} bytes, {limits.MaxBytes} allowed");

        using var children = new PooledList<Child>();
        using var leaves = new PooledList<Leaves>();
        var reader = new UpdateReader(update, limits, dialect);
        var contents = CheckStructs(ref reader, update, limits, children, null, sections);

        var deletesAt = reader.Position;
        var deletes = reader.DeleteSet();
        while (deletes.Next(out _))
        {
        }
        if (deletes.Position < update.Length && !limits.AllowTrailingBytes)
            throw Faults.At(UpdateFaultKind.TrailingBytes, deletes.Position, $"{update.Length - deletes.Position} bytes after the end");

        // A document sees for itself whether a parent is a type, and does not recurse. It must take whatever two valid updates
        // are when they are merged, also when one of them shows that the other has made no sense.
        if (children.Count > 0 && sections is null)
        {
            // Most updates have no types within types, so what cannot be a parent is gathered only now.
            children.Clear();
            reader = new UpdateReader(update, limits, dialect);
            CheckStructs(ref reader, update, limits, children, leaves, null);
            CheckParents(children.Span, leaves.Span);
            CheckTypeDepth(children.Span, limits.MaxTypeDepth);
        }
        return contents with { DeletesAt = deletesAt };
    }

    private static UpdateContents CheckStructs(
        ref UpdateReader reader, ReadOnlySpan<byte> update, UpdateLimits limits, PooledList<Child> children, PooledList<Leaves>? leaves,
        PooledList<UpdateSection>? sections)
    {
        int structs = 0, deletedStructs = 0, narrowUnits = 0;
        StructHeader header = default;
        while (reader.NextSection())
        {
            if (reader.StructsLeft > limits.MaxStructs - structs)
                throw Faults.At(UpdateFaultKind.TooLarge, reader.Position, $"more than {limits.MaxStructs} structs");
            structs += reader.StructsLeft;
            var section = new UpdateSection { ClientId = reader.Client, Clock = reader.Clock, Left = reader.StructsLeft, Position = reader.Position };

            var run = new Leaves(reader.Client, 0, 0);
            while (reader.NextStruct(ref header))
            {
                if (header.Length == 0 && header.Kind != StructKind.String)
                    throw Faults.At(UpdateFaultKind.EmptyStruct, header.Start, $"a {header.Kind} of length 0");
                deletedStructs += header.Kind == StructKind.Deleted ? 1 : 0;
                // Text that is ASCII has a byte for each unit, behind its length.
                if (header.Kind == StructKind.String && header.Length > header.End - header.Content - 6)
                    narrowUnits += (int)header.Length;
                if (header.ParentOffset > 0)
                {
                    var at = new Lib0Reader(update) { Position = header.ParentOffset };
                    var (id, parent) = (new StructId(reader.Client, header.Clock), StructId.Read(ref at));
                    children.Add(new Child(id, parent, header.ParentOffset, header.Kind == StructKind.Type));
                }
                if (leaves is null || header.Kind is StructKind.Type or StructKind.Gc or StructKind.Deleted or StructKind.Skip)
                    continue;
                if (run.NextClock == header.Clock && run.NextClock > run.Clock)
                {
                    run = run with { NextClock = reader.Clock };
                    continue;
                }
                if (run.NextClock > run.Clock)
                    leaves!.Add(run);
                run = new Leaves(reader.Client, header.Clock, reader.Clock);
            }
            if (run.NextClock > run.Clock)
                leaves!.Add(run);
            if (sections is not null && section.Left > 0)
            {
                section.End = reader.Position;
                sections.Add(section);
            }
        }
        return new UpdateContents(0, structs, deletedStructs, narrowUnits);
    }

    private static void CheckParents(ReadOnlySpan<Child> children, Span<Leaves> leaves)
    {
        leaves.Sort(static (a, b) => a.Client != b.Client ? a.Client.CompareTo(b.Client) : a.Clock.CompareTo(b.Clock));
        // Two sections of one client may overlap: what either says counts, as after a merge.
        for (var i = 1; i < leaves.Length; i++)
        {
            if (leaves[i].Client == leaves[i - 1].Client && leaves[i].NextClock < leaves[i - 1].NextClock)
                leaves[i] = leaves[i] with { NextClock = leaves[i - 1].NextClock };
        }
        foreach (ref readonly var child in children)
        {
            int low = 0, high = leaves.Length;
            while (low < high)
            {
                var middle = (low + high) >>> 1;
                ref readonly var leaf = ref leaves[middle];
                if (leaf.Client < child.Parent.Client || (leaf.Client == child.Parent.Client && leaf.Clock <= child.Parent.Clock))
                    low = middle + 1;
                else
                    high = middle;
            }
            if (low > 0 && leaves[low - 1].Client == child.Parent.Client && child.Parent.Clock < leaves[low - 1].NextClock)
                throw Faults.At(UpdateFaultKind.InvalidParent, child.Offset, "a parent is not a shared type");
        }
    }

    /// <summary>
    /// Follows each type to its outermost parent within the update. Depths are kept, so that each type is visited once;
    /// a ring of parents, which could never be integrated, counts as endless depth.
    /// </summary>
    private static void CheckTypeDepth(ReadOnlySpan<Child> children, int maxDepth)
    {
        if (children.Length <= maxDepth)
            return;
        var parentOf = new Dictionary<StructId, (StructId Parent, int Offset)>();
        foreach (ref readonly var child in children)
        {
            if (child.IsType)
                parentOf[child.Id] = (child.Parent, child.Offset);
        }

        var depths = new Dictionary<StructId, int>(parentOf.Count);
        var path = new Stack<StructId>();
        foreach (var (type, (_, offset)) in parentOf)
        {
            var at = type;
            int depth;
            while (!depths.TryGetValue(at, out depth) && parentOf.TryGetValue(at, out var up))
            {
                path.Push(at);
                at = up.Parent;
                if (path.Count > maxDepth)
                    throw Faults.At(UpdateFaultKind.TooDeep, offset, $"shared types are nested over {maxDepth} deep");
            }
            while (path.TryPop(out var below))
            {
                depths[below] = ++depth;
                if (depth > maxDepth)
                    throw Faults.At(UpdateFaultKind.TooDeep, offset, $"shared types are nested over {maxDepth} deep");
            }
        }
    }
}
