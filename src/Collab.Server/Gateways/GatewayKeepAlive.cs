using System.Collections.Concurrent;
using Collab.Server.Fanout;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Collab.Server.Gateways;

/// <summary>
/// Sends something to those over whose connection nothing else went for a while: clients of Yjs protocols, and proxies, close a connection
/// over which nothing comes, and a browser's page does not see the pings of a WebSocket.
/// </summary>
internal sealed class GatewayKeepAlive(IOptions<FanoutOptions> options, TimeProvider clock) : IHostedService, IDisposable
{
    private readonly ConcurrentDictionary<GatewaySocket, Func<ReadOnlyMemory<byte>>> _sockets = [];
    private ITimer? _timer;

    /// <summary>Keeps a connection alive.</summary>
    /// <param name="socket">The connection.</param>
    /// <param name="silence">The frame that says nothing; empty when there is none at the moment.</param>
    public void Add(GatewaySocket socket, Func<ReadOnlyMemory<byte>> silence) => _sockets[socket] = silence;

    /// <summary>The connection has ended.</summary>
    public void Remove(GatewaySocket socket) => _sockets.TryRemove(socket, out _);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var interval = TimeSpan.FromMilliseconds(options.Value.KeepAliveMilliseconds / 4.0);
        _timer = clock.CreateTimer(_ => Tick(), null, interval, interval);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _timer = null;
    }

    private void Tick()
    {
        var oldest = Environment.TickCount64 - (options.Value.KeepAliveMilliseconds * 3 / 4);
        foreach (var (socket, silence) in _sockets)
        {
            if (socket.LastWrite <= oldest && silence() is { IsEmpty: false } frame)
                _ = SendAsync(socket, frame);
        }
    }

    private static async Task SendAsync(GatewaySocket socket, ReadOnlyMemory<byte> frame)
    {
        try
        {
            await socket.SendFrameAsync(frame);
        }
        catch (Exception exception) when (GatewaySocket.IsItsEnd(exception))
        {
            // It ends.
        }
    }
}
