namespace Collab.Crdt;

/// <summary>
/// Takes from one update what a peer lacks, and reads its state vector, as Yjs' <c>diffUpdate</c> and
/// <c>encodeStateVectorFromUpdate</c> do. Where a client has more than one section, the update is first merged with itself.
/// </summary>
internal static class UpdateDiff
{
    public static byte[] Diff(ReadOnlySpan<byte> update, ReadOnlySpan<byte> stateVector, bool dialect = false)
    {
        var state = StateVector.Decode(stateVector);
        using var writer = new Lib0Writer(update.Length + 64);
        var reader = new UpdateReader(update, dialect: dialect);
        var clients = new ClientOrder();
        var sections = 0;
        while (reader.NextSection())
        {
            if (clients.Repeats(reader.Client))
                return Diff(Normalized(update, dialect), stateVector, dialect);
            sections += WriteSection(writer, ref reader, update, state.GetValueOrDefault(reader.Client)) ? 1 : 0;
        }
        WriteDeletes(writer, reader.DeleteSet());
        return Prefixed((ulong)sections, writer.Written);
    }

    public static byte[] StateVectorOf(ReadOnlySpan<byte> update, bool dialect = false)
    {
        using var writer = new Lib0Writer(64);
        var reader = new UpdateReader(update, dialect: dialect);
        var clients = new ClientOrder();
        var known = 0;
        StructHeader header = default;
        while (reader.NextSection())
        {
            if (clients.Repeats(reader.Client))
                return StateVectorOf(Normalized(update, dialect), dialect);
            // Only what reaches from clock 0 without a gap counts.
            var clock = 0u;
            var counts = reader.Clock == 0;
            while (reader.NextStruct(ref header))
            {
                counts &= header.Kind != StructKind.Skip;
                if (counts)
                    clock = reader.Clock;
            }
            if (clock == 0)
                continue;
            known++;
            writer.WriteVarUint(reader.Client);
            writer.WriteVarUint(clock);
        }
        ReadToEnd(reader.DeleteSet());
        return Prefixed((ulong)known, writer.Written);
    }

    /// <summary>True when nothing is inserted and nothing deleted.</summary>
    public static bool IsEmpty(ReadOnlySpan<byte> update, bool dialect = false)
    {
        var reader = new UpdateReader(update, dialect: dialect);
        var structs = 0;
        while (reader.NextSection())
        {
            StructHeader header = default;
            while (reader.NextStruct(ref header))
                structs++;
        }
        return structs == 0 && !reader.DeleteSet().Next(out _);
    }

    /// <summary>Throws <see cref="InvalidUpdateException"/> unless the algebra can read the whole update.</summary>
    public static void CheckReadable(ReadOnlySpan<byte> update)
    {
        var reader = new UpdateReader(update);
        StructHeader header = default;
        while (reader.NextSection())
        {
            while (reader.NextStruct(ref header))
            {
            }
        }
        ReadToEnd(reader.DeleteSet());
    }

    /// <summary>Writes what the section has from clock <paramref name="known"/> on; false when that is nothing.</summary>
    private static bool WriteSection(Lib0Writer writer, ref UpdateReader reader, ReadOnlySpan<byte> update, uint known)
    {
        StructHeader header = default;
        bool found;
        while (found = reader.NextStruct(ref header))
        {
            // A gap never comes first, even one that reaches past what is known.
            if (header.Kind != StructKind.Skip && header.NextClock > known)
                break;
        }
        if (!found)
            return false;

        var offset = known > header.Clock ? known - header.Clock : 0;
        writer.WriteVarUint((ulong)reader.StructsLeft + 1);
        writer.WriteVarUint(reader.Client);
        writer.WriteVarUint(header.Clock + offset);

        var copied = header.Start;
        if (offset > 0)
        {
            StructWriter.WriteCut(writer, update, header, reader.Client, offset);
            copied = header.End;
        }
        else
        {
            CopyUpTo(writer, update, header, ref copied);
        }
        while (reader.NextStruct(ref header))
            CopyUpTo(writer, update, header, ref copied);
        writer.WriteBytes(update[copied..reader.Position]);
        return true;
    }

    // Leaves the copying to the end of the section unless the info byte has to change.
    private static void CopyUpTo(Lib0Writer writer, ReadOnlySpan<byte> update, in StructHeader header, ref int copied)
    {
        var info = StructHeader.Canonical(header.Info);
        if (info == header.Info)
            return;
        writer.WriteBytes(update[copied..header.Start]);
        writer.WriteByte(info);
        copied = header.Start + 1;
    }

    /// <summary>Writes the whole delete set, with the clients in order.</summary>
    private static void WriteDeletes(Lib0Writer writer, DeleteSetReader deletes)
    {
        using var ranges = new PooledList<DeletedRange>();
        var inOrder = true;
        while (deletes.Next(out var range))
        {
            inOrder &= ranges.Count == 0 || ranges[ranges.Count - 1].Client >= range.Client;
            ranges.Add(range);
        }
        if (!inOrder)
        {
            // A stable sort: the ranges of one client keep their order.
            var sorted = ranges.Span.ToArray().OrderByDescending(range => range.Client).ToArray();
            DeleteSets.WriteSorted(writer, sorted);
            return;
        }
        DeleteSets.WriteSorted(writer, ranges.Span);
    }

    private static void ReadToEnd(DeleteSetReader deletes)
    {
        while (deletes.Next(out _))
        {
        }
    }

    /// <summary>Merges an update with itself, so that each client has one section.</summary>
    private static byte[] Normalized(ReadOnlySpan<byte> update, bool dialect) =>
        UpdateMerge.Merge([update.ToArray()], join: false, dialect);

    /// <summary>Finds a client with two sections. Sections are nearly always descending, and then there is nothing to remember.</summary>
    private struct ClientOrder
    {
        private List<ulong>? _before;
        private HashSet<ulong>? _seen;

        public bool Repeats(ulong client)
        {
            _before ??= [];
            if (_seen is null && (_before.Count == 0 || client < _before[^1]))
            {
                _before.Add(client);
                return false;
            }
            _seen ??= [.. _before];
            return !_seen.Add(client);
        }
    }

    private static byte[] Prefixed(ulong count, ReadOnlySpan<byte> rest)
    {
        using var head = new Lib0Writer(16);
        head.WriteVarUint(count);
        var whole = new byte[head.Length + rest.Length];
        head.Written.CopyTo(whole);
        rest.CopyTo(whole.AsSpan(head.Length));
        return whole;
    }
}
