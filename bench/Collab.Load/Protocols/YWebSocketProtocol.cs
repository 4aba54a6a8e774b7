namespace Collab.Load.Protocols;

/// <summary>The y-websocket protocol. It has no acknowledgements.</summary>
internal sealed class YWebSocketProtocol(string path, IWireMember member) : IWireProtocol
{
    private const int Sync = 0;

    private static readonly ByteWriter Message = new();

    public string Path { get; } = path;

    public void Opened() => member.Ready();

    public void Join() =>
        member.Send(Message.Clear().Byte(Sync).Byte(SyncMessage.SyncStep1).VarBytes(SyncMessage.EmptyStateVector).Written);

    public void Push(int index, ReadOnlySpan<byte> update) =>
        member.Send(Message.Clear().Byte(Sync).Byte(SyncMessage.Update).VarBytes(update).Written);

    public void KeepAlive()
    {
    }

    public void Received(ReadOnlySpan<byte> message)
    {
        var reader = new ByteReader(message);
        if (reader.VarUint() != Sync)
            return;
        switch (reader.VarUint())
        {
            case SyncMessage.SyncStep1:
                member.Send(Message.Clear().Byte(Sync).Byte(SyncMessage.SyncStep2).VarBytes(SyncMessage.EmptyUpdate).Written);
                break;
            case SyncMessage.SyncStep2:
                member.Joined(reader.VarBytes());
                break;
            case SyncMessage.Update:
                member.Updated(reader.VarBytes());
                break;
        }
    }
}
