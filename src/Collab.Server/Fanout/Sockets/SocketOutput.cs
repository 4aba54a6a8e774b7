using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;

namespace Collab.Server.Fanout.Sockets;

/// <summary>
/// What the server writes to a connection, written straight to its socket. Kestrel's own way leads through a pipe and a loop that empties it, which
/// cost a small message more than the write itself. A flush completes when the socket has taken everything.
/// </summary>
/// <param name="inner">Kestrel's way: taken for the end.</param>
/// <param name="socket">The socket, which does not block.</param>
/// <param name="abort">Cuts the connection.</param>
internal sealed class SocketOutput(PipeWriter inner, Socket socket, Action abort) : PipeWriter
{
    private const int LeastBuffer = 4096;

    private byte[] _buffer = [];
    private int _written;
    private bool _ended;

    /// <summary>Whether the connection goes on after the end of what writes here.</summary>
    public bool IsKept { get; set; }

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _written;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        var least = _written + Math.Max(sizeHint, 1);
        if (_buffer.Length < least)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(least, Math.Max(LeastBuffer, _buffer.Length * 2)));
            _buffer.AsSpan(0, _written).CopyTo(larger);
            Return(_buffer);
            _buffer = larger;
        }

        return _buffer.AsMemory(_written);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, _buffer.Length - _written);
        _written += bytes;
    }

    /// <summary>Sends what was written. A connection that has ended takes everything and says that it is over, as Kestrel's pipe does.</summary>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        var (buffer, length) = (_buffer, _written);
        (_buffer, _written) = ([], 0);
        var write = length == 0 || _ended ? new(!_ended) : SocketWrite.SendAsync(socket, buffer.AsMemory(0, length));
        return write.IsCompletedSuccessfully ? new(Flushed(buffer, write.Result)) : FinishAsync(write, buffer, cancellationToken);
    }

    // Only the connection's end ends a wait for it.
    public override void CancelPendingFlush()
    {
    }

    /// <summary>Kestrel sends what is left and ends the connection, unless it is kept.</summary>
    public override void Complete(Exception? exception = null)
    {
        if (IsKept)
            return;
        if (_written > 0)
            inner.Write(_buffer.AsSpan(0, _written));
        Return(_buffer);
        (_buffer, _written) = ([], 0);
        inner.Complete(exception);
    }

    private static void Return(byte[] buffer)
    {
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
    }

    private async ValueTask<FlushResult> FinishAsync(ValueTask<bool> write, byte[] buffer, CancellationToken cancellationToken)
    {
        // What was sent in part cannot be taken back: when nobody waits any more the connection ends, as it does with Kestrel's own output.
        await using var cut = cancellationToken.UnsafeRegister(static abort => ((Action)abort!)(), abort);
        return Flushed(buffer, await write);
    }

    private FlushResult Flushed(byte[] buffer, bool isSent)
    {
        Return(buffer);
        if (!isSent && !_ended)
        {
            _ended = true;
            abort();
        }

        return new FlushResult(isCanceled: false, isCompleted: _ended);
    }
}
