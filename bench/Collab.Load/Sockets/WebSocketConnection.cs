using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Collab.Load.Sockets;

/// <summary>
/// A WebSocket client (RFC 6455) over a non-blocking socket: the upgrade, masked frames out, frames and fragments in. Frames that
/// are sent within one turn of the loop leave in one write.
/// </summary>
internal sealed class WebSocketConnection
{
    private const int Continuation = 0;
    private const int Binary = 2;
    private const int Close = 8;
    private const int Ping = 9;
    private const int Pong = 10;

    private readonly SocketLoop _loop;
    private readonly IWebSocketListener _listener;
    private readonly Socket _socket;
    private readonly string _path;
    private byte[] _input = new byte[2048];
    private int _inputLength;
    private byte[] _output = new byte[512];
    private int _outputStart;
    private int _outputLength;
    private byte[]? _fragments;
    private int _fragmentsLength;
    private bool _upgraded;
    private bool _flushing;
    private bool _awaitingWritable;
    private uint _maskSeed = (uint)Random.Shared.Next();

    private WebSocketConnection(SocketLoop loop, Socket socket, string path, IWebSocketListener listener)
    {
        (_loop, _socket, _path, _listener) = (loop, socket, path, listener);
        Descriptor = (int)socket.Handle;
    }

    public int Descriptor { get; }

    public bool IsClosed { get; private set; }

    /// <summary>Connects, asks for the upgrade and joins the loop, which tells the listener when the WebSocket is open.</summary>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    public static WebSocketConnection Open(SocketLoop loop, int port, string path, IWebSocketListener listener)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        // A reset instead of a farewell: thousands of ports in TIME_WAIT would starve the next run.
        socket.LingerState = new LingerOption(true, 0);
        socket.Connect(IPAddress.Loopback, port);
        var connection = new WebSocketConnection(loop, socket, path, listener);
        loop.Add(connection);
        connection.RequestUpgrade(port);
        return connection;
    }

    /// <summary>Sends one binary message in one masked frame.</summary>
    public void Send(ReadOnlySpan<byte> message) => SendFrame(Binary, message);

    /// <summary>Ends the connection at once. The listener is not told.</summary>
    public void Dispose()
    {
        if (IsClosed)
            return;
        IsClosed = true;
        _loop.Remove(this);
        _socket.Dispose();
    }

    /// <summary>Reads once and handles every complete frame.</summary>
    public void Receive()
    {
        var count = Epoll.Receive(Descriptor, _input.AsSpan(_inputLength));
        if (count == -1)
            return;
        if (count <= 0)
        {
            Fail(count == 0 ? "end of stream" : "connection reset");
            return;
        }

        _inputLength += count;
        var used = 0;
        while (!IsClosed && Take(_input.AsSpan(used, _inputLength - used)) is var taken and > 0)
            used += taken;
        _inputLength -= used;
        if (used > 0 && _inputLength > 0)
            _input.AsSpan(used, _inputLength).CopyTo(_input);
        // A full buffer means that a larger one would have saved reads, or that a frame does not fit.
        if (used + _inputLength == _input.Length && (_input.Length < 256 * 1024 || _inputLength == _input.Length))
            Array.Resize(ref _input, _input.Length * 2);
    }

    /// <summary>Writes what has gathered, as far as the kernel takes it.</summary>
    public void Flush()
    {
        _flushing = false;
        if (IsClosed)
            return;
        while (_outputStart < _outputLength)
        {
            var count = Epoll.Send(Descriptor, _output.AsSpan(_outputStart, _outputLength - _outputStart));
            if (count == -1)
                break;
            if (count < 0)
            {
                Fail("connection reset");
                return;
            }

            _outputStart += count;
        }

        var blocked = _outputStart < _outputLength;
        if (!blocked)
            _outputStart = _outputLength = 0;
        if (blocked != _awaitingWritable)
            _loop.AwaitWritable(this, _awaitingWritable = blocked);
    }

    private void RequestUpgrade(int port)
    {
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        Write(Encoding.ASCII.GetBytes(
            $"GET {_path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + $"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"));
    }

    /// <returns>How many bytes were one complete frame or the answer to the upgrade; 0 when more must arrive.</returns>
    private int Take(Span<byte> bytes) => _upgraded ? TakeFrame(bytes) : TakeUpgrade(bytes);

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

    private void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        Commit(bytes.Length);
    }

    private Span<byte> Reserve(int count)
    {
        while (_output.Length - _outputLength < count)
            Array.Resize(ref _output, _output.Length * 2);
        return _output.AsSpan(_outputLength, count);
    }

    private void Commit(int count)
    {
        _outputLength += count;
        if (_flushing || _awaitingWritable)
            return;
        _flushing = true;
        _loop.FlushLater(this);
    }

    private void Fail(string reason)
    {
        Dispose();
        _listener.Closed(reason);
    }
}
