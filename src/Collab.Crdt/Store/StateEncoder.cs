namespace Collab.Crdt;

/// <summary>Writes what a document holds as an update (yjs <c>writeClientsStructs</c> and <c>writeDeleteSet</c>).</summary>
internal static class StateEncoder
{
    /// <summary>What a transaction has inserted and deleted, in format v1.</summary>
    public static byte[] EncodeTransaction(Transaction transaction)
    {
        var writer = transaction.Doc.Writer;
        writer.Clear();
        WriteTransaction(new BlockEncoderV1(writer, anyDialect: false), transaction);
        return writer.ToArray();
    }

    /// <summary>What a transaction has inserted and deleted, in the format of the encoder.</summary>
    public static void WriteTransaction<TEncoder>(TEncoder encoder, Transaction transaction)
        where TEncoder : struct, IBlockEncoder
    {
        var store = transaction.Store;
        var inserted = transaction.Inserted;
        if (inserted.Count > 1)
            inserted = [.. inserted.OrderByDescending(change => store.Clients[change.Client].Id)];
        encoder.WriteCount(inserted.Count);
        foreach (var (client, before, _) in inserted)
            WriteSection(encoder, store, store.Clients[client], before);
        WriteDeletes(encoder, store, transaction.Deletes.Sorted());
    }

    /// <summary>All that somebody lacks who knows <paramref name="known"/>, with every delete, in format v1 or the dialect.</summary>
    public static byte[] EncodeState(BlockStore store, IReadOnlyDictionary<ulong, uint>? known, bool anyDialect)
    {
        using var writer = new Lib0Writer(1024);
        WriteState(new BlockEncoderV1(writer, anyDialect), store, known);
        return writer.ToArray();
    }

    /// <inheritdoc cref="EncodeState"/>
    public static void WriteState<TEncoder>(TEncoder encoder, BlockStore store, IReadOnlyDictionary<ulong, uint>? known)
        where TEncoder : struct, IBlockEncoder
    {
        var clients = store.Clients.Where(client => client.State > (known?.GetValueOrDefault(client.Id) ?? 0)).ToArray();
        Array.Sort(clients, static (a, b) => b.Id.CompareTo(a.Id));
        encoder.WriteCount(clients.Length);
        foreach (var client in clients)
            WriteSection(encoder, store, client, known?.GetValueOrDefault(client.Id) ?? 0);
        WriteDeletes(encoder, store, store.AllDeletes());
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
        var encoder = new BlockEncoderV1(writer, anyDialect: true);
        encoder.WriteCount(clocks.Length);
        foreach (var (id, until) in clocks)
        {
            var client = store.Clients[store.Client(id)];
            var last = client.Seek(until - 1);
            encoder.BeginSection(client.Count - client.CountFrom(last) + 1, id, 0);
            var cursor = default(ClientBlocks.Cursor);
            for (; cursor != last; client.MoveNext(ref cursor))
                WriteStruct(encoder, store, store[client[cursor]], 0);
            // A copy that is shorter writes the first units of the block, so that nothing is split in the original.
            var cut = store[client[last]];
            cut.Length = until - cut.Clock;
            WriteStruct(encoder, store, cut, 0);
        }
        DeleteSets.WriteSorted(writer, snapshot.Deletes);
        return writer.ToArray();
    }

    private static void WriteSection<TEncoder>(TEncoder encoder, BlockStore store, ClientBlocks client, uint from)
        where TEncoder : struct, IBlockEncoder
    {
        var cursor = client.Seek(from);
        encoder.BeginSection(client.CountFrom(cursor), client.Id, from);
        ref var first = ref store[client[cursor]];
        WriteStruct(encoder, store, first, from - first.Clock);
        while (client.MoveNext(ref cursor))
            WriteStruct(encoder, store, store[client[cursor]], 0);
    }

    private static void WriteStruct<TEncoder>(TEncoder encoder, BlockStore store, in Block block, uint offset)
        where TEncoder : struct, IBlockEncoder
    {
        if (block.IsGc)
        {
            encoder.WriteInfo(StructKind.Gc, 0);
            encoder.WriteLength(block.Length - offset);
            return;
        }
        var origin = offset > 0 ? new BlockId(block.Client, block.Clock + offset - 1) : block.Origin;
        encoder.WriteInfo(block.Kind, (byte)((origin.IsNone ? 0 : StructHeader.HasOrigin)
            | (block.HasRightOrigin ? StructHeader.HasRightOrigin : 0)
            | (block.Key != 0 ? StructHeader.HasKey : 0)));
        if (!origin.IsNone)
            encoder.WriteLeftId(store.Clients[origin.Client].Id, origin.Clock);
        if (block.HasRightOrigin)
            encoder.WriteRightId(store.Clients[block.RightOriginClient].Id, block.RightOriginClock);
        if (origin.IsNone && !block.HasRightOrigin)
        {
            var parent = store.ParentOf(block);
            if (parent.IsRoot)
            {
                encoder.WriteRoot(parent.Name);
            }
            else
            {
                var item = store[parent.Item].Id;
                encoder.WriteParentId(store.Clients[item.Client].Id, item.Clock);
            }
            if (block.Key != 0)
                encoder.WriteString(store.Keys[block.Key]);
        }
        BlockContent.Write(encoder, store, block, offset);
    }

    /// <summary>Writes ranges that are in order of their client's index; the format wants the ids descending.</summary>
    public static void WriteDeletes<TEncoder>(TEncoder encoder, BlockStore store, ReadOnlySpan<ClientRange> ranges)
        where TEncoder : struct, IBlockEncoder
    {
        var groups = 0;
        for (var i = 0; i < ranges.Length; i++)
            groups += i == 0 || ranges[i].Client != ranges[i - 1].Client ? 1 : 0;
        encoder.WriteCount(groups);
        if (groups == 0)
            return;
        if (groups == 1)
        {
            encoder.WriteDeletes(store.Clients[ranges[0].Client].Id, ranges);
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
        foreach (var (id, start, end) in starts)
            encoder.WriteDeletes(id, ranges[start..end]);
    }
}
