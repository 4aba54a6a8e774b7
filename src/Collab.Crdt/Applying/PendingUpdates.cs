namespace Collab.Crdt;

/// <summary>A unit that structs wait for, and how far its client had come when they began to.</summary>
internal readonly record struct MissingUnit(ulong Client, uint Clock, uint KnownClock);

/// <summary>
/// Parts of updates that refer to something that has not come yet. Each part knows what it waits for and is tried again as
/// soon as that is there; what is still missing then makes a new, smaller part. So nothing stalls, in whatever order updates come.
/// </summary>
internal sealed class PendingUpdates
{
    private readonly List<Part> _parts = [];
    private readonly List<DeletedRange> _deletes = [];

    /// <summary>The structs of one client, as an update without deletes, and the unit that must come before the first of them.</summary>
    private readonly record struct Part(byte[] Update, MissingUnit Missing);

    public bool IsEmpty => _parts.Count == 0 && _deletes.Count == 0;

    /// <summary>What structs wait for: for each client how far it had come when they began to wait (yjs <c>pendingStructs.missing</c>).</summary>
    public Dictionary<ulong, uint> Missing
    {
        get
        {
            var missing = new Dictionary<ulong, uint>();
            foreach (var part in _parts)
            {
                if (!missing.TryGetValue(part.Missing.Client, out var clock) || part.Missing.KnownClock < clock)
                    missing[part.Missing.Client] = part.Missing.KnownClock;
            }
            return missing;
        }
    }

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
        _parts.Add(new Part(writer.ToArray(), missing));
        section.Left = 0;
    }

    /// <summary>Deletes a range as far as its units are known; the rest waits.</summary>
    public void Delete(Transaction transaction, in DeletedRange range)
    {
        if (DeleteKnown(transaction, range) is { } rest)
            _deletes.Add(rest);
    }

    /// <summary>Tries again whatever may have become possible, until nothing does.</summary>
    public void Retry(Transaction transaction)
    {
        while (TakeReady(transaction.Store) is { Count: > 0 } ready)
        {
            foreach (var part in ready)
            {
                Span<UpdateSection> section = [SectionOf(part)];
                UpdateApplication.ApplyStructs(transaction, part, section, this);
            }
        }
        var kept = 0;
        for (var i = 0; i < _deletes.Count; i++)
        {
            if (DeleteKnown(transaction, _deletes[i]) is { } rest)
                _deletes[kept++] = rest;
        }
        _deletes.RemoveRange(kept, _deletes.Count - kept);
    }

    /// <summary>The waiting structs as one update, and the waiting deletes as another; null where there are none.</summary>
    public (byte[]? Structs, byte[]? Deletes) Encode()
    {
        byte[]? structs = null, deletes = null;
        if (_parts.Count > 0)
            structs = UpdateMerge.Merge([.. _parts.Select(part => (ReadOnlyMemory<byte>)part.Update)], join: false, dialect: true);
        if (_deletes.Count > 0)
        {
            using var writer = new Lib0Writer(64);
            writer.WriteVarUint(0);
            DeleteSets.WriteMerged(writer, _deletes.ToArray());
            deletes = writer.ToArray();
        }
        return (structs, deletes);
    }

    private List<byte[]>? TakeReady(BlockStore store)
    {
        List<byte[]>? ready = null;
        var kept = 0;
        for (var i = 0; i < _parts.Count; i++)
        {
            var part = _parts[i];
            if (store.TryGetClient(part.Missing.Client, out var client) && part.Missing.Clock < store.State(client))
                (ready ??= []).Add(part.Update);
            else
                _parts[kept++] = part;
        }
        _parts.RemoveRange(kept, _parts.Count - kept);
        return ready;
    }

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
