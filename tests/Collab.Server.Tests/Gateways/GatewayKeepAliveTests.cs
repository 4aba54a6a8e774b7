using System.Net.Sockets;
using System.Net.WebSockets;
using Collab.Server.Fanout;
using Collab.Server.Fanout.WebSockets;
using Collab.Server.Tests.Fanout;
using Microsoft.Extensions.Options;

namespace Collab.Server.Gateways;

/// <summary>Clients that say nothing: whether they are still there is asked, and told from the answer.</summary>
public sealed class GatewayKeepAliveTests
{
    private static readonly byte[] Ping = [0x89, 0x00];
    private static readonly byte[] MaskedPong = [0x8a, 0x80, 0, 0, 0, 0];
    private static readonly byte[] MaskedMessage = [0x82, 0x81, 0, 0, 0, 0, 7];

    private readonly Ticks _ticks = new();
    private bool _isCut;

    [Fact]
    public async Task A_client_that_says_nothing_is_pinged_every_15_seconds_and_cut_off_when_it_does_not_answer()
    {
        using var sockets = await SocketPair.ConnectAsync();
        using var keepAlive = await StartAsync();
        using var socket = Keep(sockets, keepAlive);
        var reading = socket.NextAsync();
        _ticks.Pass(seconds: 15);
        Assert.Equal(0, sockets.Client.Available);

        _ticks.Pass(seconds: 1);
        Assert.Equal(Ping, await sockets.ReceiveAsync(2));
        _ticks.Pass(seconds: 15);
        Assert.Equal(Ping, await sockets.ReceiveAsync(2));
        Assert.False(_isCut);

        _ticks.Pass(seconds: 15);
        Assert.True(_isCut);
        Assert.False(reading.IsCompleted);
    }

    [Fact]
    public async Task A_client_that_answers_stays()
    {
        using var sockets = await SocketPair.ConnectAsync();
        using var keepAlive = await StartAsync();
        using var socket = Keep(sockets, keepAlive);
        _ = socket.NextAsync().AsTask();
        for (var i = 0; i < 10; i++)
        {
            _ticks.Pass(seconds: 16);
            Assert.Equal(Ping, await sockets.ReceiveAsync(2));
            await sockets.Client.SendAsync(MaskedPong);
            // Until the answer was taken in.
            while (sockets.Server.Available > 0)
                await Task.Delay(1);
            await Task.Delay(20);
        }

        Assert.False(_isCut);
    }

    [Fact]
    public async Task A_client_that_is_not_read_as_he_is_being_answered_stays()
    {
        using var sockets = await SocketPair.ConnectAsync();
        using var keepAlive = await StartAsync();
        using var socket = Keep(sockets, keepAlive);
        await sockets.Client.SendAsync(MaskedMessage);
        Assert.Equal([7], (await socket.NextAsync())!.Value.ToArray());

        _ticks.Pass(seconds: 300);

        Assert.False(_isCut);
    }

    private async Task<GatewayKeepAlive> StartAsync()
    {
        var keepAlive = new GatewayKeepAlive(Options.Create(new FanoutOptions { KeepAliveMilliseconds = 4_000 }), _ticks);
        await keepAlive.StartAsync(default);
        return keepAlive;
    }

    private GatewaySocket Keep(SocketPair sockets, GatewayKeepAlive keepAlive)
    {
        sockets.Server.Blocking = true; // As this stream asks for.
        var stream = new FrameStream(new NetworkStream(sockets.Server), () => _isCut = true, TimeSpan.FromSeconds(5), sockets.Server);
        var webSocket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = true, KeepAliveInterval = Timeout.InfiniteTimeSpan });
        var socket = new GatewaySocket(webSocket, stream, 1024, () => _isCut = true);
        keepAlive.Add(socket, () => default);
        return socket;
    }

    /// <summary>One timer, which the test lets tick.</summary>
    private sealed class Ticks : TimeProvider
    {
        private TimerCallback? _tick;
        private TimeSpan _period;

        public void Pass(int seconds)
        {
            for (var passed = TimeSpan.Zero; passed < TimeSpan.FromSeconds(seconds); passed += _period)
                _tick!(null);
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            (_tick, _period) = (callback, period);
            return System.CreateTimer(static _ => { }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }
}
