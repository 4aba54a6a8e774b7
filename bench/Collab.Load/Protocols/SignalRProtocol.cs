using System.Buffers.Text;
using System.Text;

namespace Collab.Load.Protocols;

/// <summary>Collab's hub over SignalR's MessagePack protocol, without negotiation.</summary>
internal sealed class SignalRProtocol(string path, string document, IWireMember member) : IWireProtocol
{
    private const int Invocation = 1;
    private const int Completion = 3;
    private const int Close = 7;
    private const int ErrorResult = 1;

    private static readonly ByteWriter Message = new();
    private static readonly ByteWriter Prefix = new();

    private bool _shookHands;

    public string Path { get; } = path;

    public void Opened() => member.Send("{\"protocol\":\"messagepack\",\"version\":1}\u001e"u8);

    public void Join()
    {
        BeginInvocation("join"u8, "JoinDocument"u8);
        WriteBinary(SyncMessage.EmptyStateVector);
        SendPrefixed();
    }

    public void Push(int index, ReadOnlySpan<byte> update)
    {
        Span<byte> id = stackalloc byte[11];
        Utf8Formatter.TryFormat(index, id, out var length);
        BeginInvocation(id[..length], "PushUpdate"u8);
        WriteBinary(update);
        SendPrefixed();
    }

    public void KeepAlive()
    {
        Message.Clear().Byte(0x91).Byte(6);
        SendPrefixed();
    }

    public void Received(ReadOnlySpan<byte> message)
    {
        if (!_shookHands)
        {
            var end = message.IndexOf((byte)0x1e);
            if (!message[..end].SequenceEqual("{}"u8))
            {
                member.Refused("handshake: " + Encoding.UTF8.GetString(message[..end]));
                return;
            }

            _shookHands = true;
            message = message[(end + 1)..];
            member.Ready();
        }

        var reader = new ByteReader(message);
        while (!reader.IsAtEnd)
            ReceivedOne(reader.VarBytes());
    }

    private void ReceivedOne(ReadOnlySpan<byte> message)
    {
        var reader = new MessagePackReader(message);
        reader.ArrayHeader();
        switch (reader.Integer())
        {
            case Invocation:
                reader.Skip(); // headers
                reader.Skip(); // invocation id
                var target = reader.Bytes();
                reader.ArrayHeader();
                if (target.SequenceEqual("DocumentUpdated"u8))
                {
                    reader.Skip(); // document
                    member.Updated(reader.Bytes());
                }
                else if (target.SequenceEqual("DocumentClosed"u8))
                {
                    reader.Skip();
                    member.Refused("document closed: " + Encoding.UTF8.GetString(reader.Bytes()));
                }

                break;
            case Completion:
                reader.Skip(); // headers
                Completed(reader.Bytes(), (int)reader.Integer(), ref reader);
                break;
            case Close:
                member.Refused("closed: " + Encoding.UTF8.GetString(reader.BytesOrNil()));
                break;
        }
    }

    private void Completed(ReadOnlySpan<byte> id, int kind, ref MessagePackReader reader)
    {
        if (kind == ErrorResult)
        {
            member.Refused(Encoding.UTF8.GetString(reader.Bytes()));
        }
        else if (Utf8Parser.TryParse(id, out int index, out _))
        {
            member.Acknowledged(index);
        }
        else
        {
            for (var pairs = reader.MapHeader(); pairs > 0; pairs--)
            {
                if (reader.Bytes().SequenceEqual("update"u8))
                {
                    member.Joined(reader.Bytes());
                    return;
                }

                reader.Skip();
            }

            member.Refused("the result of JoinDocument has no update");
        }
    }

    private void BeginInvocation(ReadOnlySpan<byte> id, ReadOnlySpan<byte> method)
    {
        Message.Clear().Byte(0x95).Byte(Invocation).Byte(0x80);
        WriteString(id);
        WriteString(method);
        Message.Byte(0x92);
        WriteString(Encoding.UTF8.GetBytes(document));
    }

    private static void WriteString(ReadOnlySpan<byte> text)
    {
        if (text.Length < 32)
            Message.Byte(0xa0 | text.Length);
        else
            Message.Byte(0xd9).Byte(text.Length);
        Message.Bytes(text);
    }

    private static void WriteBinary(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 256)
            Message.Byte(0xc4).Byte(bytes.Length);
        else
            Message.Byte(0xc6).Byte(bytes.Length >> 24).Byte(bytes.Length >> 16).Byte(bytes.Length >> 8).Byte(bytes.Length);
        Message.Bytes(bytes);
    }

    private void SendPrefixed() => member.Send(Prefix.Clear().VarBytes(Message.Written).Written);
}
