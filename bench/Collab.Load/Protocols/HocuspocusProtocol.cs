using System.Text;

namespace Collab.Load.Protocols;

/// <summary>The Hocuspocus provider protocol (v3, v4), without multiplexing: one document per connection.</summary>
internal sealed class HocuspocusProtocol(string path, string document, IWireMember member) : IWireProtocol
{
    private const int Sync = 0;
    private const int Auth = 2;
    private const int Close = 7;
    private const int SyncStatus = 8;
    private const int Token = 0;
    private const int PermissionDenied = 1;
    private const int Authenticated = 2;

    private static readonly ByteWriter Message = new();

    private int _handshakesToAcknowledge;
    private int _acknowledged;

    public string Path { get; } = path;

    public void Opened() => member.Send(Begin(Auth).VarUint(Token).VarString("").VarString("4.7.0").Written);

    public void Join() => member.Send(Begin(Sync).VarUint(SyncMessage.SyncStep1).VarBytes(SyncMessage.EmptyStateVector).Written);

    public void Push(int index, ReadOnlySpan<byte> update) =>
        member.Send(Begin(Sync).VarUint(SyncMessage.Update).VarBytes(update).Written);

    public void KeepAlive()
    {
    }

    public void Received(ReadOnlySpan<byte> message)
    {
        var reader = new ByteReader(message);
        reader.VarBytes();
        switch (reader.VarUint())
        {
            case Sync:
                ReceivedSync(ref reader);
                break;
            case Auth:
                switch (reader.VarUint())
                {
                    case Authenticated:
                        member.Ready();
                        break;
                    case PermissionDenied:
                        member.Refused(Encoding.UTF8.GetString(reader.VarBytes()));
                        break;
                }

                break;
            case Close:
                member.Refused("document closed: " + Encoding.UTF8.GetString(reader.VarBytes()));
                break;
            case SyncStatus:
                // The server answers in the order of what it received, and our SyncStep2 is among that.
                if (reader.VarUint() == 0)
                    member.Refused("not applied");
                else if (_handshakesToAcknowledge > 0)
                    _handshakesToAcknowledge--;
                else
                    member.Acknowledged(_acknowledged++);
                break;
        }
    }

    private void ReceivedSync(ref ByteReader reader)
    {
        switch (reader.VarUint())
        {
            case SyncMessage.SyncStep1:
                _handshakesToAcknowledge++;
                member.Send(Begin(Sync).VarUint(SyncMessage.SyncStep2).VarBytes(SyncMessage.EmptyUpdate).Written);
                break;
            case SyncMessage.SyncStep2:
                member.Joined(reader.VarBytes());
                break;
            case SyncMessage.Update:
                member.Updated(reader.VarBytes());
                break;
        }
    }

    private ByteWriter Begin(int type) => Message.Clear().VarString(document).VarUint((ulong)type);
}
