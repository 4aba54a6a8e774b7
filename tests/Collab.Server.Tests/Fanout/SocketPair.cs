using System.Net;
using System.Net.Sockets;

namespace Collab.Server.Tests.Fanout;

/// <summary>Two ends of a real connection: the server's, which does not block, and a client's.</summary>
internal sealed class SocketPair : IDisposable
{
    private SocketPair(Socket server, Socket client) => (Server, Client) = (server, client);

    public Socket Server { get; }

    public Socket Client { get; }

    /// <param name="buffers">The sockets' buffers, in bytes; 0 for the system's.</param>
    public static async Task<SocketPair> ConnectAsync(int buffers = 0)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (buffers > 0)
            client.ReceiveBufferSize = buffers;
        await client.ConnectAsync(listener.LocalEndPoint!);
        var server = await listener.AcceptAsync();
        server.Blocking = false;
        if (buffers > 0)
            server.SendBufferSize = buffers;
        return new SocketPair(server, client);
    }

    public async Task<byte[]> ReceiveAsync(int length)
    {
        var bytes = new byte[length];
        for (var at = 0; at < length;)
        {
            var read = await Client.ReceiveAsync(bytes.AsMemory(at, Math.Min(7_000, length - at))).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
            Assert.NotEqual(0, read);
            at += read;
        }

        return bytes;
    }

    /// <summary>The client goes without a word.</summary>
    public void Reset()
    {
        Client.LingerState = new LingerOption(enable: true, seconds: 0);
        Client.Dispose();
    }

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
    }
}
