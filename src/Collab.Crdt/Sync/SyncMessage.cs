namespace Collab.Crdt;

/// <summary>The kinds of messages in y-protocols' sync protocol.</summary>
public enum SyncMessageKind
{
    /// <summary>"This is what I know": a state vector. The answer is a <see cref="SyncStep2"/>.</summary>
    SyncStep1 = 0,

    /// <summary>"This is what you lack": an update, with the whole delete set.</summary>
    SyncStep2 = 1,

    /// <summary>"This is new": an update.</summary>
    Update = 2,
}

/// <summary>
/// A message of y-protocols' sync protocol: <c>kind length payload</c>, kind and length as variable-length integers.
/// </summary>
public readonly ref struct SyncMessage
{
    /// <summary>Makes a message of <paramref name="kind"/> around <paramref name="payload"/>.</summary>
    public SyncMessage(SyncMessageKind kind, ReadOnlySpan<byte> payload)
    {
        Kind = kind;
        Payload = payload;
    }

    /// <summary>What the payload is.</summary>
    public SyncMessageKind Kind { get; }

    /// <summary>A state vector for <see cref="SyncMessageKind.SyncStep1"/>, else an update. Not checked.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>Reads the one message that <paramref name="bytes"/> are. The payload refers to them.</summary>
    /// <exception cref="InvalidUpdateException">The bytes are not a sync message, or more follows it.</exception>
    public static SyncMessage Read(ReadOnlySpan<byte> bytes)
    {
        var message = Read(bytes, out var consumed);
        if (consumed < bytes.Length)
            throw Faults.At(UpdateFaultKind.TrailingBytes, consumed, $"{bytes.Length - consumed} bytes after the end");
        return message;
    }

    /// <summary>Reads the message at the start of <paramref name="bytes"/>.</summary>
    /// <param name="bytes">The bytes; others may follow the message.</param>
    /// <param name="consumed">How many bytes the message takes.</param>
    /// <exception cref="InvalidUpdateException">The bytes do not begin with a sync message.</exception>
    public static SyncMessage Read(ReadOnlySpan<byte> bytes, out int consumed)
    {
        var reader = new Lib0Reader(bytes);
        var kind = reader.ReadVarUint();
        if (kind > (ulong)SyncMessageKind.Update)
            throw Faults.At(UpdateFaultKind.UnknownMessage, 0, $"no sync message is of kind {kind}");
        var payload = reader.ReadVarBytes();
        consumed = reader.Position;
        return new SyncMessage((SyncMessageKind)kind, payload);
    }

    /// <summary>The message as bytes.</summary>
    public byte[] ToArray()
    {
        using var writer = new Lib0Writer(Payload.Length + 16);
        writer.WriteVarUint((ulong)Kind);
        writer.WriteVarBytes(Payload);
        return writer.ToArray();
    }
}
