using System.Net;
using System.Net.Sockets;

namespace Collab.Load.Sockets;

/// <summary>
/// A non-blocking TCP connection of a <see cref="SocketLoop"/>: gathers what arrives until a part is complete, and writes what is sent
/// within one turn of the loop at once. What a part is, the derived class says.
/// </summary>
internal abstract class LoopConnection
{
    private readonly SocketLoop _loop;
    private readonly Socket _socket;
    private byte[] _input = new byte[2048];
    private int _inputLength;
    private byte[] _output = new byte[512];
    private int _outputStart;
    private int _outputLength;
    private bool _flushing;
    private bool _awaitingWritable;

    /// <summary>Connects and joins the loop.</summary>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    protected LoopConnection(SocketLoop loop, int port)
    {
        _loop = loop;
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        // A reset instead of a farewell: thousands of ports in TIME_WAIT would starve the next run.
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Connect(IPAddress.Loopback, port);
        Descriptor = (int)_socket.Handle;
        loop.Add(this);
    }

    public int Descriptor { get; }

    public bool IsClosed { get; private set; }

    /// <summary>Ends the connection at once. The listener is not told.</summary>
    public void Dispose()
    {
        if (IsClosed)
            return;
        IsClosed = true;
        _loop.Remove(this);
        _socket.Dispose();
    }

    /// <summary>Reads once and handles every complete part.</summary>
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
        // A full buffer means that a larger one would have saved reads, or that a part does not fit.
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

    /// <returns>How many bytes were one complete part; 0 when more must arrive.</returns>
    protected abstract int Take(Span<byte> bytes);

    /// <summary>The connection ended, not by us.</summary>
    protected abstract void OnClosed(string reason);

    protected void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        Commit(bytes.Length);
    }

    protected Span<byte> Reserve(int count)
    {
        while (_output.Length - _outputLength < count)
            Array.Resize(ref _output, _output.Length * 2);
        return _output.AsSpan(_outputLength, count);
    }

    protected void Commit(int count)
    {
        _outputLength += count;
        if (_flushing || _awaitingWritable)
            return;
        _flushing = true;
        _loop.FlushLater(this);
    }

    protected void Fail(string reason)
    {
        Dispose();
        OnClosed(reason);
    }
}
