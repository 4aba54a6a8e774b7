namespace Collab.Crdt;

/// <summary>A unit that structs wait for; <c>IsGap</c> when they are of the same client and the unit is the one before them.</summary>
internal readonly record struct MissingUnit(ulong Client, uint Clock, bool IsGap);

/// <summary>
/// Parts of updates that refer to something that has not come yet. Each part waits for one unit and is tried again as soon as
/// that is there; what is still missing then makes a new, smaller part. So nothing stalls, in whatever order updates come,
/// and what waits costs nothing until its unit comes.
/// </summary>
internal sealed class PendingUpdates
{
    // By the client that is waited for, those with the lowest clock first.
    private readonly Dictionary<ulong, PriorityQueue<Part, uint>> _parts = [];
    private readonly Dictionary<ulong, PriorityQueue<DeletedRange, uint>> _deletes = [];
    private int _added;

    /// <summary>The structs of one client as an update without deletes, and which of all parts it was.</summary>
    private readonly record struct Part(byte[] Update, MissingUnit Missing, int Number);

    public bool IsEmpty => _parts.Count == 0 && _deletes.Count == 0;

    /// <summary>True once an update in format v2 was applied, so that parts may hold values as Any where v1 has JSON.</summary>
    public bool IsFromV2 { get; set; }

    public bool HasStructs => _parts.Count > 0;

    public bool HasDeletes => _deletes.Count > 0;

    /// <summary>Takes over what is left of a section.</summary>
    public void Add(ReadOnlySpan<byte> update, ref UpdateSection section, MissingUnit missing)
    {
        var structs = update[section.Position..section.End];
        using var writer = new Lib0Writer(structs.Length + 40);
        writer.WriteVarUint(1);
        writer.WriteVarUint((ulong)section.Left);
        writer.WriteVarUint(section.ClientId);
        writer.WriteVarUint(section.Clock);
        writer.WriteBytes(structs);
        writer.WriteVarUint(0);
        Wait(_parts, missing.Client, new Part(writer.ToArray(), missing, _added++), missing.Clock);
        section.Left = 0;
    }

    /// <summary>Deletes a range as far as its units are known; the rest waits.</summary>
    public void Delete(Transaction transaction, in DeletedRange range)
    {
        if (DeleteKnown(transaction, range) is { } rest)
            Wait(_deletes, rest.Client, rest, rest.Clock);
    }

    /// <summary>Tries again whatever may have become possible, until nothing does.</summary>
    public void Retry(Transaction transaction)
    {
        while (TakeReady(transaction.Store, _parts) is { Count: > 0 } ready)
        {
            foreach (var part in ready)
            {
                Span<UpdateSection> section = [SectionOf(part.Update)];
                UpdateApplication.ApplyStructs(transaction, part.Update, section, this);
            }
        }
        foreach (var range in TakeReady(transaction.Store, _deletes) ?? [])
            Delete(transaction, range);
    }

    /// <summary>
    /// The clients of which something must come before what waits can go on, each with the clock from which on it is missing.
    /// What waits itself is not named.
    /// </summary>
    public Dictionary<ulong, uint> MissingFrom(BlockStore store)
    {
        var waiting = new RangeSet();
        var clients = new Dictionary<ulong, int>();
        foreach (var part in All(_parts))
        {
            var reader = new UpdateReader(part.Update, dialect: true);
            StructHeader header = default;
            while (reader.NextSection())
            {
                var client = clients.TryGetValue(reader.Client, out var known) ? known : clients[reader.Client] = clients.Count;
                while (reader.NextStruct(ref header))
                    waiting.Add(client, header.Clock, header.Length);
            }
        }
        var missing = new Dictionary<ulong, uint>();
        foreach (var unit in All(_parts).Select(part => part.Missing))
        {
            if (clients.TryGetValue(unit.Client, out var client) && waiting.Contains(new BlockId(client, unit.Clock)))
                continue;
            var clock = unit.IsGap ? unit.Clock : store.TryGetClient(unit.Client, out var index) ? store.State(index) : 0;
            if (!missing.TryGetValue(unit.Client, out var lowest) || clock < lowest)
                missing[unit.Client] = clock;
        }
        return missing;
    }

    /// <summary>The waiting structs as one update, and the waiting deletes as another; null where there are none.</summary>
    public (byte[]? Structs, byte[]? Deletes) Encode()
    {
        byte[]? structs = null, deletes = null;
        if (_parts.Count > 0)
            structs = UpdateMerge.Merge([.. All(_parts).OrderBy(part => part.Number).Select(part => (ReadOnlyMemory<byte>)part.Update)], join: false, dialect: true);
        if (_deletes.Count > 0)
        {
            using var writer = new Lib0Writer(64);
            writer.WriteVarUint(0);
            DeleteSets.WriteMerged(writer, All(_deletes).ToArray());
            deletes = writer.ToArray();
        }
        return (structs, deletes);
    }

    private static void Wait<T>(Dictionary<ulong, PriorityQueue<T, uint>> waiting, ulong client, T what, uint clock)
    {
        if (!waiting.TryGetValue(client, out var queue))
            waiting.Add(client, queue = new PriorityQueue<T, uint>());
        queue.Enqueue(what, clock);
    }

    /// <summary>Takes out what waits for a unit that is there now; null when nothing does.</summary>
    private static List<T>? TakeReady<T>(BlockStore store, Dictionary<ulong, PriorityQueue<T, uint>> waiting)
    {
        List<T>? ready = null;
        foreach (var (clientId, queue) in waiting)
        {
            if (!store.TryGetClient(clientId, out var client))
                continue;
            while (queue.TryPeek(out var next, out var clock) && clock < store.State(client))
            {
                (ready ??= []).Add(next);
                queue.Dequeue();
            }
            if (queue.Count == 0)
                waiting.Remove(clientId);
        }
        return ready;
    }

    private static IEnumerable<T> All<T>(Dictionary<ulong, PriorityQueue<T, uint>> waiting) =>
        waiting.Values.SelectMany(queue => queue.UnorderedItems.Select(item => item.Element));

    private static UpdateSection SectionOf(byte[] part)
    {
        var reader = new Lib0Reader(part);
        reader.ReadVarUint();
        var left = (int)reader.ReadVarUint();
        return new UpdateSection
        {
            Left = left,
            ClientId = reader.ReadVarUint(),
            Clock = reader.ReadClock(UpdateLimits.HighestClock),
            Position = reader.Position,
            End = part.Length - 1,
        };
    }

    /// <summary>Deletes what is known of a range (yjs <c>readAndApplyDeleteSet</c>); what is not is returned.</summary>
    private static DeletedRange? DeleteKnown(Transaction transaction, in DeletedRange range)
    {
        if (range.Length == 0)
            return null;
        var store = transaction.Store;
        if (!store.TryGetClient(range.Client, out var clientIndex) || store.State(clientIndex) <= range.Clock)
            return range;
        var client = store.Clients[clientIndex];
        var state = client.State;
        var end = (uint)Math.Min(range.NextClock, state);

        var cursor = client.Seek(range.Clock);
        ref var first = ref store[client[cursor]];
        if (!first.IsDeleted && first.Clock < range.Clock)
        {
            store.Split(transaction, client[cursor], range.Clock - first.Clock);
            cursor = client.Seek(range.Clock);
        }
        do
        {
            var handle = client[cursor];
            ref var block = ref store[handle];
            if (block.Clock >= end)
                break;
            if (block.IsDeleted)
                continue;
            if (end < block.NextClock)
            {
                store.Split(transaction, handle, end - block.Clock);
                cursor = client.Seek(block.Clock);
            }
            Deletion.Delete(transaction, handle);
        }
        while (client.MoveNext(ref cursor));
        return range.NextClock > state ? new DeletedRange(range.Client, state, (uint)(range.NextClock - state)) : null;
    }
}
