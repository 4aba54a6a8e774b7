using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Collab.Load.Sockets;

/// <summary>
/// A WebSocket client (RFC 6455): the upgrade, masked frames out, frames and fragments in.
/// </summary>
internal sealed class WebSocketConnection : LoopConnection
{
    private const int Continuation = 0;
    private const int Text = 1;
    private const int Binary = 2;
    private const int Close = 8;
    private const int Ping = 9;
    private const int Pong = 10;

    private readonly IWebSocketListener _listener;
    private byte[]? _fragments;
    private int _fragmentsLength;
    private bool _upgraded;
    private uint _maskSeed = (uint)Random.Shared.Next();

    /// <summary>Connects, asks for the upgrade and joins the loop, which tells the listener when the WebSocket is open.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">Nobody listens there.</exception>
    public WebSocketConnection(SocketLoop loop, int port, string path, IWebSocketListener listener)
        : base(loop, port)
    {
        _listener = listener;
        RequestUpgrade(port, path);
    }

    /// <summary>Sends one binary message in one masked frame.</summary>
    public void Send(ReadOnlySpan<byte> message) => SendFrame(Binary, message);

    /// <summary>Sends one text message in one masked frame.</summary>
    public void SendText(ReadOnlySpan<byte> message) => SendFrame(Text, message);

    private void RequestUpgrade(int port, string path)
    {
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        Write(Encoding.ASCII.GetBytes(
            $"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + $"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"));
    }

    protected override void OnClosed(string reason) => _listener.Closed(reason);

    /// <returns>How many bytes were one complete frame or the answer to the upgrade; 0 when more must arrive.</returns>
    protected override int Take(Span<byte> bytes) => _upgraded ? TakeFrame(bytes) : TakeUpgrade(bytes);

    private int TakeUpgrade(Span<byte> bytes)
    {
        var end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            return 0;
        if (!bytes.StartsWith("HTTP/1.1 101"u8))
        {
            Fail("upgrade refused: " + Encoding.ASCII.GetString(bytes[..bytes.IndexOf((byte)'\r')]));
            return 0;
        }

        _upgraded = true;
        _listener.Opened();
        return end + 4;
    }

    private int TakeFrame(Span<byte> bytes)
    {
        if (bytes.Length < 2)
            return 0;
        var (header, length) = (2, (long)(bytes[1] & 0x7f));
        if (length == 126)
        {
            if (bytes.Length < 4)
                return 0;
            (header, length) = (4, BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]));
        }
        else if (length == 127)
        {
            if (bytes.Length < 10)
                return 0;
            (header, length) = (10, BinaryPrimitives.ReadInt64BigEndian(bytes[2..]));
        }

        if (bytes.Length - header < length)
            return 0;
        Handle(bytes[0] & 0x0f, isFinal: (bytes[0] & 0x80) != 0, bytes.Slice(header, (int)length));
        return header + (int)length;
    }

    private void Handle(int opcode, bool isFinal, ReadOnlySpan<byte> payload)
    {
        switch (opcode)
        {
            case Ping:
                SendFrame(Pong, payload);
                break;
            case Pong:
                break;
            case Close:
                Fail(payload.Length < 2 ? "closed" : $"closed {BinaryPrimitives.ReadUInt16BigEndian(payload)} {Encoding.UTF8.GetString(payload[2..])}");
                break;
            default:
                if (isFinal && opcode != Continuation)
                {
                    _listener.Received(payload);
                    break;
                }

                _fragments ??= new byte[4096];
                while (_fragments.Length < _fragmentsLength + payload.Length)
                    Array.Resize(ref _fragments, _fragments.Length * 2);
                payload.CopyTo(_fragments.AsSpan(_fragmentsLength));
                _fragmentsLength += payload.Length;
                if (isFinal)
                {
                    var message = _fragments.AsSpan(0, _fragmentsLength);
                    _fragmentsLength = 0;
                    _listener.Received(message);
                }

                break;
        }
    }

    private void SendFrame(int opcode, ReadOnlySpan<byte> payload)
    {
        if (IsClosed)
            return;
        Span<byte> frame = Reserve(payload.Length + 14);
        frame[0] = (byte)(0x80 | opcode);
        int header;
        if (payload.Length < 126)
        {
            frame[1] = (byte)(0x80 | payload.Length);
            header = 2;
        }
        else if (payload.Length <= ushort.MaxValue)
        {
            frame[1] = 0x80 | 126;
            BinaryPrimitives.WriteUInt16BigEndian(frame[2..], (ushort)payload.Length);
            header = 4;
        }
        else
        {
            frame[1] = 0x80 | 127;
            BinaryPrimitives.WriteInt64BigEndian(frame[2..], payload.Length);
            header = 10;
        }

        // The mask guards proxies against scripts; a cheap sequence serves here, as long as the server has to undo it.
        _maskSeed = _maskSeed * 1664525 + 1013904223;
        var mask = frame.Slice(header, 4);
        BinaryPrimitives.WriteUInt32LittleEndian(mask, _maskSeed);
        var masked = frame.Slice(header + 4, payload.Length);
        for (var i = 0; i < payload.Length; i++)
            masked[i] = (byte)(payload[i] ^ mask[i & 3]);
        Commit(header + 4 + payload.Length);
    }
}
