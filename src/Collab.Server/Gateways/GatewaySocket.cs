using System.Buffers;
using System.Net.WebSockets;
using System.Text;
using Collab.Protocol;
using Collab.Server.Fanout.WebSockets;

namespace Collab.Server.Gateways;

/// <summary>
/// The WebSocket of a client that speaks a Yjs protocol: messages in, one at a time, and one frame for each message out, as those clients
/// read only the first message of a frame. Whatever writes may do so at any time.
/// </summary>
/// <param name="socket">The WebSocket, which answers pings and closes.</param>
/// <param name="stream">The connection beneath it.</param>
/// <param name="maxMessage">The largest message that is taken in, in bytes.</param>
/// <param name="abort">Cuts the connection.</param>
internal sealed class GatewaySocket(WebSocket socket, FrameStream stream, int maxMessage, Action abort) : IDisposable
{
    /// <summary>How long a client may take to answer that it is over.</summary>
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(2);

    private const int FirstBuffer = 4096;
    private const int LargePayload = 16 * 1024;
    private const int MaxReason = 123; // RFC 6455, 5.5: a control frame holds 125 bytes, two of them are the code.

    private readonly CancellationTokenSource _ended = new();
    private byte[] _buffer = [];
    private int _closing;
    private int _silentTicks;
    private volatile bool _isWaiting;
    private long _lastWrite = Environment.TickCount64;

    /// <summary>When something was written last, by <see cref="Environment.TickCount64"/>.</summary>
    public long LastWrite => Volatile.Read(ref _lastWrite);

    /// <summary>
    /// Counts how often it was asked since something came in. Of a client who is not read, as what he sent is still being answered, nothing is to be
    /// told. Only for <see cref="GatewayKeepAlive"/>.
    /// </summary>
    public int CountSilence() => _silentTicks = stream.TakeHasRead() || !_isWaiting ? 0 : _silentTicks + 1;

    /// <summary>The connection beneath the WebSocket.</summary>
    public FrameStream Stream => stream;

    /// <summary>Whether it was said that it is over: what still comes in counts no more.</summary>
    public bool IsClosing => Volatile.Read(ref _closing) != 0;

    /// <summary>Cancelled when nothing can be written any more.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>A message as a frame, for many.</summary>
    /// <param name="head">Its first part.</param>
    /// <param name="payload">The rest.</param>
    public static ReadOnlyMemory<byte> FrameOf(ReadOnlySpan<byte> head, ReadOnlySpan<byte> payload)
    {
        var buffer = new byte[WebSocketFrame.MaxHeader + head.Length + payload.Length];
        head.CopyTo(buffer.AsSpan(WebSocketFrame.MaxHeader));
        payload.CopyTo(buffer.AsSpan(WebSocketFrame.MaxHeader + head.Length));
        return WebSocketFrame.Enclose(buffer, head.Length + payload.Length, binary: true);
    }

    /// <summary>Whether this is what reading and writing end with when the connection breaks.</summary>
    public static bool IsItsEnd(Exception exception) =>
        exception is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException;

    /// <summary>
    /// Waits for the next message. It is good until the next call. When one cannot be taken in, or it was said that it is over, there are no more, only
    /// the wait for the client's close.
    /// </summary>
    /// <param name="refuse">Called when a message cannot be taken in.</param>
    /// <returns>Null when the client has closed.</returns>
    /// <exception cref="WebSocketException">The connection broke.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> NextAsync(Action<CollabException>? refuse = null)
    {
        _isWaiting = true;
        while (true)
        {
            Release();
            // Who waits holds no buffer.
            if ((await socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None)).MessageType is WebSocketMessageType.Close)
                return null;
            try
            {
                var message = await ReceiveAsync();
                if (message is null || !IsClosing)
                {
                    _isWaiting = false;
                    return message;
                }
            }
            catch (CollabException exception)
            {
                // The rest of it stays unread: without an end the client is cut.
                refuse?.Invoke(exception);
                await Task.Delay(Timeout.Infinite, _ended.Token);
            }
        }
    }

    /// <summary>Receives the message that comes in.</summary>
    /// <returns>Null when the client has closed.</returns>
    /// <exception cref="CollabException"><c>too_large</c>, or <c>invalid_message</c> when it is text.</exception>
    private async ValueTask<ReadOnlyMemory<byte>?> ReceiveAsync()
    {
        _buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
        for (var length = 0; ;)
        {
            var read = await socket.ReceiveAsync(_buffer.AsMemory(length), CancellationToken.None);
            if (read.MessageType is WebSocketMessageType.Close)
                return null;
            if (read.MessageType is WebSocketMessageType.Text)
                throw GatewayMessage.Malformed("it is text");
            length += read.Count;
            if (length > maxMessage)
                throw new CollabException(ErrorCodes.TooLarge, $"a message is larger than {maxMessage} bytes");
            if (read.EndOfMessage)
                return _buffer.AsMemory(0, length);
            if (length == _buffer.Length)
                Grow(length);
        }
    }

    /// <summary>Sends a frame that many are sent.</summary>
    public ValueTask SendFrameAsync(ReadOnlyMemory<byte> frame)
    {
        Volatile.Write(ref _lastWrite, Environment.TickCount64);
        return stream.WriteAsync(frame);
    }

    /// <summary>Sends a message.</summary>
    /// <param name="head">Its first part.</param>
    /// <param name="payload">The rest, which must not change until it is sent.</param>
    public ValueTask SendAsync(ReadOnlySpan<byte> head, ReadOnlyMemory<byte> payload = default)
    {
        if (payload.Length <= LargePayload)
            return SendFrameAsync(FrameOf(head, payload.Span));
        var buffer = new byte[WebSocketFrame.MaxHeader + head.Length];
        head.CopyTo(buffer.AsSpan(WebSocketFrame.MaxHeader));
        Volatile.Write(ref _lastWrite, Environment.TickCount64);
        return stream.WriteLargeAsync(WebSocketFrame.Enclose(buffer, head.Length, binary: true, payload.Length), payload);
    }

    /// <summary>Says that it is over, once. The client's answer ends <see cref="NextAsync"/>.</summary>
    /// <param name="code">The code, of RFC 6455 or of the protocol.</param>
    /// <param name="reason">For the developer.</param>
    public async Task CloseAsync(int code, string reason)
    {
        if (Interlocked.Exchange(ref _closing, 1) != 0)
            return;
        try
        {
            await socket.CloseOutputAsync((WebSocketCloseStatus)code, Shorten(reason), CancellationToken.None);
            await Task.Delay(ClosePatience, _ended.Token);
            Abort();
        }
        catch (Exception exception) when (IsItsEnd(exception))
        {
            // It is over already.
        }
    }

    /// <summary>Cuts the connection.</summary>
    public void Abort()
    {
        abort();
        // What holds it needs no disposal: no timer and no handle.
        _ended.Cancel();
    }

    public void Dispose()
    {
        _ended.Cancel();
        Release();
        socket.Dispose();
    }

    private static string Shorten(string reason)
    {
        while (Encoding.UTF8.GetByteCount(reason) > MaxReason)
            reason = reason[..^1];
        return reason;
    }

    private void Grow(int length)
    {
        var larger = ArrayPool<byte>.Shared.Rent(length * 2);
        _buffer.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    private void Release()
    {
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }
}
