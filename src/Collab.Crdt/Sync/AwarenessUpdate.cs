namespace Collab.Crdt;

/// <summary>
/// Awareness updates of y-protocols: <c>count { client clock json }</c>, where the JSON text is a string behind its length.
/// </summary>
public static class AwarenessUpdate
{
    /// <summary>Decodes an awareness update. The states refer to the bytes of <paramref name="update"/>; nothing is copied.</summary>
    /// <param name="update">The bytes.</param>
    /// <param name="limits">The limits; <see cref="AwarenessLimits.Default"/> when null.</param>
    /// <returns>The states in the order in which they stand; a client named twice appears twice.</returns>
    /// <exception cref="InvalidUpdateException">The bytes are malformed or over the limits.</exception>
    public static IReadOnlyList<AwarenessState> Decode(ReadOnlyMemory<byte> update, AwarenessLimits? limits = null)
    {
        limits ??= AwarenessLimits.Default;
        var reader = new Lib0Reader(update.Span);
        var count = reader.ReadCount(bytesEach: 4);
        if (count > limits.MaxClients)
            throw Faults.At(UpdateFaultKind.TooLarge, 0, $"{count} clients, {limits.MaxClients} allowed");

        var states = new AwarenessState[count];
        for (var i = 0; i < count; i++)
        {
            var client = reader.ReadVarUint();
            var clock = reader.ReadVarUint();
            var at = reader.Position;
            var json = reader.ReadVarString();
            if (json.Length > limits.MaxStateBytes)
                throw Faults.At(UpdateFaultKind.TooLarge, at, $"a state of {json.Length} bytes, {limits.MaxStateBytes} allowed");
            var start = reader.Position - json.Length;
            JsonText.Check(json, start, limits.MaxDepth);
            states[i] = new AwarenessState(client, clock, update.Slice(start, json.Length));
        }
        if (reader.Remaining > 0)
            throw Faults.At(UpdateFaultKind.TrailingBytes, reader.Position, $"{reader.Remaining} bytes after the end");
        return states;
    }

    /// <summary>Decodes an awareness update without throwing: null when it is well formed, else its first fault.</summary>
    /// <param name="update">The bytes.</param>
    /// <param name="limits">The limits.</param>
    /// <param name="states">The states, as from <see cref="Decode"/>; empty when there is a fault.</param>
    public static UpdateFault? TryDecode(
        ReadOnlyMemory<byte> update, AwarenessLimits limits, out IReadOnlyList<AwarenessState> states)
    {
        ArgumentNullException.ThrowIfNull(limits);
        try
        {
            states = Decode(update, limits);
            return null;
        }
        catch (InvalidUpdateException invalid)
        {
            states = [];
            return invalid.Fault;
        }
    }

    /// <summary>Encodes states, in the order given. Their JSON is taken as it is.</summary>
    /// <param name="states">The states.</param>
    public static byte[] Encode(IReadOnlyCollection<AwarenessState> states)
    {
        ArgumentNullException.ThrowIfNull(states);
        using var writer = new Lib0Writer(64 * states.Count + 16);
        writer.WriteVarUint((ulong)states.Count);
        foreach (var state in states)
        {
            writer.WriteVarUint(state.ClientId);
            writer.WriteVarUint(state.Clock);
            writer.WriteVarBytes(state.Json.Span);
        }
        return writer.ToArray();
    }
}
