using System.Collections.Concurrent;
using Collab.Server.Fanout;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Collab.Server.Gateways;

/// <summary>
/// Sends something to those over whose connection nothing else went for a while: clients of Yjs protocols, and proxies, close a connection
/// over which nothing comes, and a browser's page does not see the pings of a WebSocket. And pings those from whom nothing comes, as by its answer
/// one knows that a client is still there; cuts off who does not answer. One timer does this for all.
/// </summary>
internal sealed class GatewayKeepAlive(IOptions<FanoutOptions> options, TimeProvider clock) : IHostedService, IDisposable
{
    // Of a client that says nothing.
    private static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);
    private static readonly byte[] Ping = [0x89, 0x00]; // RFC 6455, 5.5.2: a last frame of opcode 9, with no payload.

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
        _timer = clock.CreateTimer(_ => Tick(), null, Interval, Interval);
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

    private TimeSpan Interval => TimeSpan.FromMilliseconds(options.Value.KeepAliveMilliseconds / 4.0);

    private void Tick()
    {
        var oldest = Environment.TickCount64 - (options.Value.KeepAliveMilliseconds * 3 / 4);
        // Counted in ticks: of a process that stood still for a while no client is to be told from others.
        var (ticksToPing, mostTicks) = ((int)Math.Ceiling(PingInterval / Interval), (int)Math.Ceiling(Patience / Interval));
        foreach (var (socket, silence) in _sockets)
        {
            if (socket.LastWrite <= oldest && silence() is { IsEmpty: false } frame)
                _ = TryAsync(socket.SendFrameAsync(frame));
            var ticks = socket.CountSilence();
            if (ticks >= mostTicks)
                socket.Abort();
            else if (ticks > 0 && ticks % ticksToPing == 0)
                _ = TryAsync(socket.Stream.WriteAsync(Ping));
        }
    }

    private static async Task TryAsync(ValueTask write)
    {
        try
        {
            await write;
        }
        catch (Exception exception) when (GatewaySocket.IsItsEnd(exception))
        {
            // It ends.
        }
    }
}
