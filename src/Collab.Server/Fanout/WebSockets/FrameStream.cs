using System.Net.Sockets;
using Collab.Server.Fanout.Sockets;

namespace Collab.Server.Fanout.WebSockets;

/// <summary>
/// The bytes of an upgraded connection, on which two write frames of a WebSocket (RFC 6455) in turns: the WebSocket itself, which
/// answers pings and closes, and <see cref="WebSocketOutput"/>. Every write is one whole frame; after that of a close there is none.
/// </summary>
/// <param name="inner">The connection.</param>
/// <param name="abort">Cuts the connection.</param>
/// <param name="patience">How long one frame, and of a large one each part, may take before the connection is cut.</param>
/// <param name="socket">The socket to which frames are written past <paramref name="inner"/>, when that is possible (see <see cref="SocketDuplex"/>).</param>
internal sealed class FrameStream(Stream inner, Action abort, TimeSpan patience, Socket? socket = null) : Stream
{
    // What is written at once: as much as the server lets wait for a client.
    private const int MaxPart = 64 * 1024;

    // Who writes and who waits to. The semaphore hands turns over and is touched only when there is more than one writer.
    private int _writers;
    private SemaphoreSlim? _turns;
    private bool _closed;
    private bool _hasRead;
    private long _progressedAt;

    /// <summary>When a part of a large frame was taken last, by <see cref="Environment.TickCount64"/>; 0 if none ever was.</summary>
    public long ProgressedAt => Volatile.Read(ref _progressedAt);

    /// <summary>Whether something has come in since this was asked last: what came is taken in before more is asked for.</summary>
    public bool TakeHasRead() => Interlocked.Exchange(ref _hasRead, false);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    private SemaphoreSlim Turn => LazyInitializer.EnsureInitialized(ref _turns, static () => new SemaphoreSlim(0));

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Volatile.Write(ref _hasRead, true);
        return inner.ReadAsync(buffer, cancellationToken);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

    /// <summary>
    /// Writes one frame. Completes at once when nobody else writes and the connection takes it. What fails, fails the task.
    /// </summary>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> frame, CancellationToken cancellationToken = default)
    {
        if (frame.Length > MaxPart)
            return WriteLargeAsync(frame);
        if (Interlocked.Increment(ref _writers) > 1)
            return WriteInTurnAsync(frame, cancellationToken);

        var write = WriteNowAsync(frame, cancellationToken);
        if (!write.IsCompletedSuccessfully)
            return FinishAsync(write);
        EndTurn();
        return default;
    }

    /// <summary>Writes one frame that is made of pieces. It takes as long as the connection makes progress.</summary>
    public async ValueTask WriteLargeAsync(params ReadOnlyMemory<byte>[] pieces)
    {
        if (Interlocked.Increment(ref _writers) > 1)
            await Turn.WaitAsync(CancellationToken.None);
        try
        {
            using var stalled = new CancellationTokenSource();
            await using var cut = stalled.Token.UnsafeRegister(static abort => ((Action)abort!)(), abort);
            foreach (var piece in pieces)
            {
                for (var rest = piece; !rest.IsEmpty && !_closed;)
                {
                    var part = rest[..Math.Min(MaxPart, rest.Length)];
                    stalled.CancelAfter(patience);
                    await SendAsync(part, CancellationToken.None);
                    Volatile.Write(ref _progressedAt, Environment.TickCount64);
                    rest = rest[part.Length..];
                }
            }
        }
        catch
        {
            // Behind half a frame nothing can follow.
            _closed = true;
            throw;
        }
        finally
        {
            EndTurn();
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    // What is written to an upgraded connection goes out by itself.
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask WriteInTurnAsync(ReadOnlyMemory<byte> frame, CancellationToken cancellationToken)
    {
        // Whoever writes is cut off when he takes too long, so that this wait ends.
        await Turn.WaitAsync(CancellationToken.None);
        await FinishAsync(WriteNowAsync(frame, cancellationToken));
    }

    private void EndTurn()
    {
        if (Interlocked.Decrement(ref _writers) > 0)
            Turn.Release();
    }

    private ValueTask WriteNowAsync(ReadOnlyMemory<byte> frame, CancellationToken cancellationToken)
    {
        if (_closed)
            return default;
        _closed = WebSocketFrame.IsClose(frame.Span);
        return SendAsync(frame, cancellationToken);
    }

    private ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (socket is null)
            return SendToServerAsync(bytes, cancellationToken);
        var write = SocketWrite.SendAsync(socket, bytes);
        if (!write.IsCompletedSuccessfully)
            return SendAsync(write);
        _closed |= !write.Result;
        return default;
    }

    // To a connection that has ended writes are lost, as they are with the server: who reads from it ends it.
    private async ValueTask SendAsync(ValueTask<bool> write) => _closed |= !await write;

    private ValueTask SendToServerAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            return inner.WriteAsync(bytes, cancellationToken);
        }
        catch (Exception exception)
        {
            return ValueTask.FromException(exception);
        }
    }

    /// <summary>Waits until the connection has taken the frame, and cuts one that does not.</summary>
    private async ValueTask FinishAsync(ValueTask write)
    {
        try
        {
            using var stalled = new CancellationTokenSource(patience);
            await using var cut = stalled.Token.UnsafeRegister(static abort => ((Action)abort!)(), abort);
            await write;
        }
        finally
        {
            EndTurn();
        }
    }
}
