using System.Net.Sockets;
using System.Text;

namespace Collab.Host.Tests.Security.Fuzzing;

/// <summary>A TCP connection to the server, over which anything can be sent.</summary>
internal sealed class RawConnection : IDisposable
{
    /// <summary>How long the server may think on a busy machine; more is a hang, and fails the run.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>After so long without a word the server is taken to wait for the rest of what was sent.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(40);

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[32 * 1024];
    private int _start, _end;

    public static async Task<RawConnection> OpenAsync(int port)
    {
        var connection = new RawConnection();
        await connection._socket.ConnectAsync("127.0.0.1", port);
        return connection;
    }

    /// <summary>Sends everything on a connection of its own and reads until the server closes it.</summary>
    /// <returns>The beginning of what it says.</returns>
    public static async Task<string> ConverseAsync(int port, byte[] bytes, byte[]? opening = null)
    {
        using var connection = await OpenAsync(port);
        if (opening is not null)
        {
            await connection.WriteAsync(opening);
            await connection.ReadHeadAsync();
        }

        // Who is cut off while he writes reads nothing either.
        return await connection.WriteAsync(bytes) ? await connection.ReadToEndAsync() : "";
    }

    public void Dispose() => _socket.Dispose();

    /// <returns>False when the server has cut the connection.</returns>
    public async Task<bool> WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            while (bytes.Length > 0)
                bytes = bytes[await _socket.SendAsync(bytes, patience.Token)..];
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Says that nothing more will be sent.</summary>
    public void EndWriting()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // It is cut already.
        }
    }

    /// <summary>Reads the head of an answer.</summary>
    public async Task<string> ReadHeadAsync()
    {
        var head = new StringBuilder();
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (_start == _end && !await FillAsync())
                throw new IOException($"The server closed the connection after \"{head}\".");
            head.Append((char)_buffer[_start++]);
        }

        return head.ToString();
    }

    /// <summary>Reads one frame of the server's.</summary>
    /// <returns>Null when there is none any more.</returns>
    public async Task<(int Opcode, byte[] Payload)?> ReadFrameAsync()
    {
        if (await TakeAsync(2) is not [var first, var second])
            return null;
        var extended = (second & 0x7f) switch { 126 => 2, 127 => 8, _ => 0 };
        if (await TakeAsync(extended) is not { } more)
            return null;
        var length = extended == 0 ? second & 0x7f : more.Aggregate(0L, (sum, one) => sum << 8 | one);
        return await TakeAsync((int)length) is { } payload ? (first & 0x0f, payload) : null;
    }

    /// <summary>Reads until the server closes. When it goes silent before, it is told that nothing more will come.</summary>
    public async Task<string> ReadToEndAsync()
    {
        var beginning = new StringBuilder();
        var ended = false;
        while (true)
        {
            try
            {
                using var pause = new CancellationTokenSource(ended ? Patience : Pause);
                if (!await FillAsync(pause.Token))
                    return beginning.ToString();
                if (beginning.Length < 1_000)
                    beginning.Append(Encoding.Latin1.GetString(_buffer, 0, Math.Min(_end, 1_000)));
                _start = _end;
            }
            catch (OperationCanceledException) when (!ended)
            {
                ended = true;
                EndWriting();
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"The server does not close the connection. It has said \"{beginning}\".");
            }
        }
    }

    private async Task<byte[]?> TakeAsync(int count)
    {
        var bytes = new byte[count];
        for (var taken = 0; taken < count;)
        {
            if (_start == _end && !await FillAsync())
                return null;
            var length = Math.Min(count - taken, _end - _start);
            _buffer.AsSpan(_start, length).CopyTo(bytes.AsSpan(taken));
            _start += length;
            taken += length;
        }

        return bytes;
    }

    private async Task<bool> FillAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            return await FillAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException("The server neither answers nor closes the connection.");
        }
    }

    private async Task<bool> FillAsync(CancellationToken cancellationToken)
    {
        (_start, _end) = (0, 0);
        try
        {
            _end = await _socket.ReceiveAsync(_buffer, cancellationToken);
        }
        catch (SocketException)
        {
            // Cut, which is an end too.
        }

        return _end > 0;
    }
}
