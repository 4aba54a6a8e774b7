using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Collab.Server.Fanout.WebSockets;

/// <summary>
/// What a hub writes to a connection over a WebSocket, written straight to that as frames of RFC 6455, one for each flush. SignalR's own
/// way leads through a pipe and another thread, which costs a reader more than the write itself.
/// </summary>
/// <param name="inner">SignalR's way: taken until the WebSocket is there, and for its end.</param>
/// <param name="socket">Where the WebSocket will be.</param>
/// <param name="format">Whether the hub's protocol is text.</param>
internal sealed class WebSocketOutput(PipeWriter inner, FrameStreamFeature socket, ITransferFormatFeature format) : PipeWriter
{
    private const int LeastBuffer = 512;

    private byte[] _buffer = [];
    private int _written;
    private ReadOnlyMemory<byte> _shared;
    private int _sharedAt;
    private bool _completed;
    private Action? _flushed;

    /// <summary>
    /// Where a message that many get is written, past what is not flushed yet: unlike the rest of this, at any time and from any thread.
    /// Null until the WebSocket is there; it is once something was read from it.
    /// </summary>
    public FrameStream? Stream => socket.Stream;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _written + _shared.Length;

    /// <summary>Calls <paramref name="action"/> as soon as no message can get before those that are not flushed yet.</summary>
    public void AfterFlush(Action action) => _flushed += action;

    /// <summary>
    /// Bytes that many are given come next. They are not copied, and must not change until they are sent. Once before a flush, and only
    /// when <see cref="Stream"/> is there.
    /// </summary>
    public void WriteShared(ReadOnlyMemory<byte> bytes) => (_shared, _sharedAt) = (bytes, _written);

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        var least = WebSocketFrame.MaxHeader + _written + Math.Max(sizeHint, 1);
        if (_buffer.Length < least)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(least, Math.Max(LeastBuffer, _buffer.Length * 2)));
            _buffer.AsSpan(0, Math.Min(_buffer.Length, WebSocketFrame.MaxHeader + _written)).CopyTo(larger);
            if (_buffer.Length > 0)
                ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        return _buffer.AsMemory(WebSocketFrame.MaxHeader + _written);
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, _buffer.Length - WebSocketFrame.MaxHeader - _written);
        _written += bytes;
    }

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        source.Span.CopyTo(GetSpan(source.Length));
        _written += source.Length;
        return FlushAsync(cancellationToken);
    }

    /// <summary>Sends what was written since the last flush as one frame.</summary>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        var (buffer, length, shared) = (_buffer, _written, _shared);
        _buffer = [];
        _written = 0;
        _shared = default;
        if (length == 0 || _completed)
            return Flushed(buffer);

        var write = Stream is { } stream
            ? WriteAsync(stream, WebSocketFrame.Enclose(buffer, length, format.ActiveFormat is TransferFormat.Binary, shared.Length), length, shared, cancellationToken)
            : WriteBeforeAsync(buffer.AsMemory(WebSocketFrame.MaxHeader, length), cancellationToken);
        // What is written from here on stands behind this frame, even if that has to wait.
        var flushed = _flushed;
        _flushed = null;
        flushed?.Invoke();
        return write.IsCompletedSuccessfully ? Flushed(buffer) : FinishAsync(write, buffer);
    }

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        _completed = true;
        inner.Complete(exception);
    }

    private ValueTask WriteAsync(FrameStream stream, Memory<byte> frame, int length, ReadOnlyMemory<byte> shared, CancellationToken cancellationToken)
    {
        if (shared.IsEmpty)
            return stream.WriteAsync(frame, cancellationToken);
        var at = frame.Length - length + _sharedAt;
        return stream.WriteLargeAsync(frame[..at], shared, frame[at..]);
    }

    private async ValueTask WriteBeforeAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        await inner.WriteAsync(bytes, cancellationToken);

    private async ValueTask<FlushResult> FinishAsync(ValueTask write, byte[] buffer)
    {
        await write;
        return await Flushed(buffer);
    }

    private ValueTask<FlushResult> Flushed(byte[] buffer)
    {
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
        return new(new FlushResult(isCanceled: false, isCompleted: _completed));
    }
}
