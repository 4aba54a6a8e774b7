namespace Collab.Crdt;

/// <summary>
/// State vectors: for each client, the clock up to which its insertions are known. Encoded as
/// <c>count { client clock }</c>, all variable-length integers (Yjs <c>encodeStateVector</c>).
/// </summary>
public static class StateVector
{
    /// <summary>The state vector of who knows nothing: one byte, 0.</summary>
    public static ReadOnlySpan<byte> Empty => [0];

    /// <summary>Decodes a state vector. When a client is named twice, the later entry counts.</summary>
    /// <param name="stateVector">The bytes.</param>
    /// <returns>The next unknown clock by client id.</returns>
    /// <exception cref="InvalidUpdateException">The bytes are not a state vector.</exception>
    public static Dictionary<ulong, uint> Decode(ReadOnlySpan<byte> stateVector)
    {
        var reader = new Lib0Reader(stateVector);
        return Read(ref reader, UpdateLimits.HighestClock);
    }

    /// <summary>Encodes a state vector, clients descending as Yjs writes them.</summary>
    /// <param name="clocks">The next unknown clock by client id.</param>
    public static byte[] Encode(IReadOnlyDictionary<ulong, uint> clocks)
    {
        ArgumentNullException.ThrowIfNull(clocks);
        using var writer = new Lib0Writer(16 * clocks.Count + 16);
        writer.WriteVarUint((ulong)clocks.Count);
        foreach (var (client, clock) in clocks.OrderByDescending(entry => entry.Key))
        {
            writer.WriteVarUint(client);
            writer.WriteVarUint(clock);
        }
        return writer.ToArray();
    }

    /// <summary>Checks a state vector: null when it is one, else its first fault.</summary>
    /// <param name="stateVector">The bytes.</param>
    /// <param name="limits">The limits on size and clocks.</param>
    public static UpdateFault? Validate(ReadOnlySpan<byte> stateVector, UpdateLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        try
        {
            if (stateVector.Length > limits.MaxBytes)
                throw Faults.At(UpdateFaultKind.TooLarge, 0, $"{stateVector.Length} bytes, {limits.MaxBytes} allowed");
            var reader = new Lib0Reader(stateVector);
            Read(ref reader, limits.MaxClock);
            if (reader.Remaining > 0 && !limits.AllowTrailingBytes)
                throw Faults.At(UpdateFaultKind.TrailingBytes, reader.Position, $"{reader.Remaining} bytes after the end");
            return null;
        }
        catch (InvalidUpdateException invalid)
        {
            return invalid.Fault;
        }
    }

    internal static Dictionary<ulong, uint> Read(ref Lib0Reader reader, uint maxClock)
    {
        var count = reader.ReadCount(bytesEach: 2);
        var clocks = new Dictionary<ulong, uint>(count);
        for (var i = 0; i < count; i++)
        {
            var client = reader.ReadVarUint();
            clocks[client] = reader.ReadClock(maxClock);
        }
        return clocks;
    }
}
