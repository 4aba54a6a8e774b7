namespace Collab.Crdt;

/// <content>
/// Both formats are those of yjs: <c>delete-set state-vector</c>. They differ in the delete set, which v2 writes as distances and
/// lengths less one.
/// </content>
public sealed partial class Snapshot
{
    /// <summary>The snapshot as <c>encodeSnapshot</c> of yjs writes it.</summary>
    public byte[] EncodeV1()
    {
        using var writer = new Lib0Writer(256);
        DeleteSets.WriteSorted(writer, _deletes);
        writer.WriteBytes(StateVector.Encode(_clocks));
        return writer.ToArray();
    }

    /// <summary>The snapshot as <c>encodeSnapshotV2</c> of yjs writes it.</summary>
    public byte[] EncodeV2()
    {
        using var writer = new Lib0Writer(256);
        writer.WriteVarUint((ulong)DeleteSets.CountClients(_deletes));
        for (int first = 0, next; first < _deletes.Length; first = next)
        {
            next = DeleteSets.EndOfClient(_deletes, first);
            writer.WriteVarUint(_deletes[first].Client);
            writer.WriteVarUint((ulong)(next - first));
            var clock = 0ul;
            foreach (ref readonly var range in _deletes.AsSpan(first..next))
            {
                writer.WriteVarUint(range.Clock - clock);
                writer.WriteVarUint(range.Length - 1);
                clock = range.NextClock;
            }
        }
        writer.WriteBytes(StateVector.Encode(_clocks));
        return writer.ToArray();
    }

    /// <summary>Reads a snapshot in format v1.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <exception cref="InvalidUpdateException">The bytes are not a snapshot.</exception>
    public static Snapshot DecodeV1(ReadOnlySpan<byte> bytes)
    {
        using var ranges = new PooledList<DeletedRange>();
        var deletes = new DeleteSetReader(new Lib0Reader(bytes), UpdateLimits.HighestClock);
        while (deletes.Next(out var range))
        {
            if (range.Length > 0)
                ranges.Add(range);
        }
        return Decode(bytes, deletes.Position, ranges.Span);
    }

    /// <summary>Reads a snapshot in format v2.</summary>
    /// <inheritdoc cref="DecodeV1"/>
    public static Snapshot DecodeV2(ReadOnlySpan<byte> bytes)
    {
        using var ranges = new PooledList<DeletedRange>();
        var reader = new Lib0Reader(bytes);
        for (var clients = reader.ReadCount(bytesEach: 2); clients > 0; clients--)
        {
            var client = reader.ReadVarUint();
            var clock = 0ul;
            for (var left = reader.ReadCount(bytesEach: 2); left > 0; left--)
            {
                var at = reader.Position;
                clock += reader.ReadVarUint();
                var length = reader.ReadVarUint() + 1;
                if (clock + length > UpdateLimits.HighestClock)
                    throw Faults.ClockTooLarge(at, clock + length, UpdateLimits.HighestClock);
                ranges.Add(new DeletedRange(client, (uint)clock, (uint)length));
                clock += length;
            }
        }
        return Decode(bytes, reader.Position, ranges.Span);
    }

    private static Snapshot Decode(ReadOnlySpan<byte> bytes, int stateVectorAt, Span<DeletedRange> deletes)
    {
        var reader = new Lib0Reader(bytes) { Position = stateVectorAt };
        var clocks = StateVector.Read(ref reader, UpdateLimits.HighestClock);
        if (reader.Remaining > 0)
            throw Faults.At(UpdateFaultKind.TrailingBytes, reader.Position, $"{reader.Remaining} bytes after the end");
        return new Snapshot(clocks, Normalized(deletes));
    }
}
