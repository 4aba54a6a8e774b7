namespace Collab.Crdt;

/// <summary>Writes what a document holds as an update (yjs <c>writeClientsStructs</c> and <c>writeDeleteSet</c>).</summary>
internal static class StateEncoder
{
    /// <summary>What a transaction has inserted and deleted.</summary>
    public static byte[] EncodeTransaction(Transaction transaction, bool anyDialect)
    {
        var store = transaction.Store;
        var writer = transaction.Doc.Writer;
        writer.Clear();
        var inserted = transaction.Inserted;
        if (inserted.Count > 1)
            inserted = [.. inserted.OrderByDescending(change => store.Clients[change.Client].Id)];
        writer.WriteVarUint((ulong)inserted.Count);
        foreach (var (client, before, _) in inserted)
            WriteSection(writer, store, store.Clients[client], before, anyDialect);
        WriteDeletes(writer, store, transaction.Deletes.Sorted());
        return writer.ToArray();
    }

    /// <summary>All that somebody lacks who knows <paramref name="known"/>, with every delete.</summary>
    public static byte[] EncodeState(BlockStore store, IReadOnlyDictionary<ulong, uint>? known, bool anyDialect)
    {
        using var writer = new Lib0Writer(1024);
        var clients = store.Clients.Where(client => client.State > (known?.GetValueOrDefault(client.Id) ?? 0)).ToArray();
        Array.Sort(clients, static (a, b) => b.Id.CompareTo(a.Id));
        writer.WriteVarUint((ulong)clients.Length);
        foreach (var client in clients)
            WriteSection(writer, store, client, known?.GetValueOrDefault(client.Id) ?? 0, anyDialect);
        WriteDeletes(writer, store, store.AllDeletes());
        return writer.ToArray();
    }

    /// <summary>The state vector, clients descending as yjs writes them.</summary>
    public static byte[] EncodeStateVector(BlockStore store)
    {
        var clients = store.Clients.Where(client => client.State > 0).ToArray();
        Array.Sort(clients, static (a, b) => b.Id.CompareTo(a.Id));
        using var writer = new Lib0Writer(16 * clients.Length + 16);
        writer.WriteVarUint((ulong)clients.Length);
        foreach (var client in clients)
        {
            writer.WriteVarUint(client.Id);
            writer.WriteVarUint(client.State);
        }
        return writer.ToArray();
    }

    /// <summary>
    /// What the document held at a snapshot, in the dialect of <see cref="UpdateV2"/>. The store must have all that the snapshot
    /// knows.
    /// </summary>
    public static byte[] EncodeSnapshot(BlockStore store, Snapshot snapshot)
    {
        using var writer = new Lib0Writer(1024);
        var clocks = snapshot.Clocks.Where(entry => entry.Value > 0).OrderByDescending(entry => entry.Key).ToArray();
        writer.WriteVarUint((ulong)clocks.Length);
        foreach (var (id, until) in clocks)
        {
            var client = store.Clients[store.Client(id)];
            var last = client.Seek(until - 1);
            writer.WriteVarUint((ulong)(client.Count - client.CountFrom(last) + 1));
            writer.WriteVarUint(id);
            writer.WriteVarUint(0);
            var cursor = default(ClientBlocks.Cursor);
            for (; cursor != last; client.MoveNext(ref cursor))
                WriteStruct(writer, store, store[client[cursor]], 0, anyDialect: true);
            // A copy that is shorter writes the first units of the block, so that nothing is split in the original.
            var cut = store[client[last]];
            cut.Length = until - cut.Clock;
            WriteStruct(writer, store, cut, 0, anyDialect: true);
        }
        DeleteSets.WriteSorted(writer, snapshot.Deletes);
        return writer.ToArray();
    }

    private static void WriteSection(Lib0Writer writer, BlockStore store, ClientBlocks client, uint from, bool anyDialect)
    {
        var cursor = client.Seek(from);
        writer.WriteVarUint((ulong)client.CountFrom(cursor));
        writer.WriteVarUint(client.Id);
        writer.WriteVarUint(from);
        ref var first = ref store[client[cursor]];
        WriteStruct(writer, store, first, from - first.Clock, anyDialect);
        while (client.MoveNext(ref cursor))
            WriteStruct(writer, store, store[client[cursor]], 0, anyDialect);
    }

    private static void WriteStruct(Lib0Writer writer, BlockStore store, in Block block, uint offset, bool anyDialect)
    {
        if (block.IsGc)
        {
            writer.WriteByte((byte)StructKind.Gc);
            writer.WriteVarUint(block.Length - offset);
            return;
        }
        var kind = (anyDialect, block.Kind) switch
        {
            (true, StructKind.Embed) => StructKind.EmbedAny,
            (true, StructKind.Format) => StructKind.FormatAny,
            _ => block.Kind,
        };
        var origin = offset > 0 ? new BlockId(block.Client, block.Clock + offset - 1) : block.Origin;
        writer.WriteByte((byte)((byte)kind
            | (origin.IsNone ? 0 : StructHeader.HasOrigin)
            | (block.HasRightOrigin ? StructHeader.HasRightOrigin : 0)
            | (block.Key != 0 ? StructHeader.HasKey : 0)));
        if (!origin.IsNone)
            WriteId(writer, store, origin);
        if (block.HasRightOrigin)
            WriteId(writer, store, block.RightOrigin);
        if (origin.IsNone && !block.HasRightOrigin)
        {
            var parent = store.ParentOf(block);
            if (parent.IsRoot)
            {
                writer.WriteByte(1);
                writer.WriteVarString(parent.Name);
            }
            else
            {
                writer.WriteByte(0);
                WriteId(writer, store, store[parent.Item].Id);
            }
            if (block.Key != 0)
                writer.WriteVarString(store.Keys[block.Key]);
        }
        BlockContent.Write(writer, store, block, offset, anyDialect);
    }

    private static void WriteId(Lib0Writer writer, BlockStore store, BlockId id)
    {
        writer.WriteVarUint(store.Clients[id.Client].Id);
        writer.WriteVarUint(id.Clock);
    }

    /// <summary>Writes ranges that are in order of their client's index; the format wants the ids descending.</summary>
    public static void WriteDeletes(Lib0Writer writer, BlockStore store, ReadOnlySpan<ClientRange> ranges)
    {
        var groups = 0;
        for (var i = 0; i < ranges.Length; i++)
            groups += i == 0 || ranges[i].Client != ranges[i - 1].Client ? 1 : 0;
        writer.WriteVarUint((ulong)groups);
        if (groups == 0)
            return;
        if (groups == 1)
        {
            WriteClientDeletes(writer, store, ranges);
            return;
        }
        var starts = new (ulong Id, int Start, int End)[groups];
        var group = 0;
        for (int first = 0, next; first < ranges.Length; first = next)
        {
            next = first + 1;
            while (next < ranges.Length && ranges[next].Client == ranges[first].Client)
                next++;
            starts[group++] = (store.Clients[ranges[first].Client].Id, first, next);
        }
        Array.Sort(starts, static (a, b) => b.Id.CompareTo(a.Id));
        foreach (var (_, start, end) in starts)
            WriteClientDeletes(writer, store, ranges[start..end]);
    }

    private static void WriteClientDeletes(Lib0Writer writer, BlockStore store, ReadOnlySpan<ClientRange> ranges)
    {
        writer.WriteVarUint(store.Clients[ranges[0].Client].Id);
        writer.WriteVarUint((ulong)ranges.Length);
        foreach (ref readonly var range in ranges)
        {
            writer.WriteVarUint(range.Clock);
            writer.WriteVarUint(range.Length);
        }
    }
}
