using System.Net.Sockets;

namespace Collab.Server.Fanout.Sockets;

/// <summary>Writes to a socket that does not block.</summary>
internal static class SocketWrite
{
    /// <summary>
    /// Writes all of it, at once when the socket takes it at once. Only the connection's end ends the wait for one that does not: nothing can follow a part.
    /// </summary>
    /// <returns>False when the connection has ended; who reads from it hears of it too.</returns>
    public static ValueTask<bool> SendAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            var sent = socket.Send(bytes.Span, SocketFlags.None, out var error);
            return sent == bytes.Length ? new(true)
                : error is SocketError.Success or SocketError.WouldBlock ? SendRestAsync(socket, bytes[sent..])
                : new(false);
        }
        catch (ObjectDisposedException)
        {
            return new(false);
        }
    }

    private static async ValueTask<bool> SendRestAsync(Socket socket, ReadOnlyMemory<byte> rest)
    {
        try
        {
            while (!rest.IsEmpty)
                rest = rest[await socket.SendAsync(rest, SocketFlags.None, CancellationToken.None)..];
            return true;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }
}
