using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Collab.Testing.Proxies;

/// <summary>Passes bytes on between clients and a server, and cuts connections as a bad network does: with a reset, in the middle.</summary>
public sealed class TcpRelay : IAsyncDisposable
{
    // Linux gives 32768 and above to outgoing connections.
    private const int FirstPort = 20_000;
    private const int Ports = 12_000;

    private static int _lastPort = Random.Shared.Next(Ports);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<int, (Socket Client, Socket Server)> _pairs = new();
    private readonly Task _accepting;
    private int _next;

    public TcpRelay(int targetPort)
    {
        Target = targetPort;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>The server's port, for connections to come.</summary>
    public int Target { get; set; }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Url => $"http://127.0.0.1:{Port}";

    /// <summary>How many connections there were.</summary>
    public int Accepted => _next;

    /// <summary>How many connections there are.</summary>
    public int Open => _pairs.Count;

    /// <summary>Resets one connection, if there is any.</summary>
    public void CutOne(Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        var pairs = _pairs.ToArray();
        if (pairs.Length > 0)
            Cut(pairs[random.Next(pairs.Length)].Key);
    }

    /// <summary>Resets all connections.</summary>
    public void CutAll()
    {
        foreach (var number in _pairs.Keys)
            Cut(number);
    }

    /// <summary>
    /// A port of the loopback address that nobody listens on now. Outgoing connections do not get it either, so it can be listened on again
    /// and again: of a port that they get, a connection to it may, while nobody listens, be one with itself.
    /// </summary>
    public static int FreePort()
    {
        while (true)
        {
            var port = FirstPort + Interlocked.Increment(ref _lastPort) % Ports;
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressAlreadyInUse)
            {
                // The next one, then.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        CutAll();
        await _accepting;
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptSocketAsync();
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                return;
            }

            _ = RelayAsync(client);
        }
    }

    private async Task RelayAsync(Socket client)
    {
        var number = Interlocked.Increment(ref _next);
        var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.NoDelay = server.NoDelay = true;
        _pairs[number] = (client, server);
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, Target);
            await Task.WhenAny(CopyAsync(client, server), CopyAsync(server, client));
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The server is not there, or it was cut.
        }
        finally
        {
            Cut(number);
        }
    }

    private static async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer)) > 0)
            {
                for (var sent = 0; sent < read;)
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent));
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // It was cut.
        }
    }

    private void Cut(int number)
    {
        if (!_pairs.TryRemove(number, out var pair))
            return;
        foreach (var socket in (Socket[])[pair.Client, pair.Server])
        {
            socket.LingerState = new LingerOption(true, 0);
            socket.Dispose();
        }
    }
}
