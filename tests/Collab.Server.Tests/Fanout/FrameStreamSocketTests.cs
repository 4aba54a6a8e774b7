using System.Net;
using System.Net.Sockets;
using Collab.Server.Fanout.WebSockets;

namespace Collab.Server.Tests.Fanout;

/// <summary>Frames that go straight to a real socket, past the server's stream.</summary>
public sealed class FrameStreamSocketTests : IAsyncLifetime
{
    private readonly MemoryStream _server = new();
    private Socket _socket = null!;
    private Socket _client = null!;

    public async Task InitializeAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await _client.ConnectAsync(listener.LocalEndPoint!);
        _socket = await listener.AcceptAsync();
    }

    public Task DisposeAsync()
    {
        _client.Dispose();
        _socket.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Until_the_client_was_heard_the_server_writes()
    {
        await using var stream = Create();

        await stream.WriteAsync(new byte[10]);
        await HearAsync(stream);
        await stream.WriteAsync(new byte[10]);

        // What went through the server may still be on its way there: nothing may overtake it.
        Assert.Equal(20, _server.Length);
        Assert.Equal(0, _client.Available);
    }

    [Fact]
    public async Task Once_the_client_was_heard_frames_go_straight_to_him()
    {
        await using var stream = Create();
        await HearAsync(stream);

        await stream.WriteAsync(new byte[] { 1, 2 });
        await stream.WriteAsync(new byte[] { 3 });

        Assert.Equal([1, 2, 3], await ReceiveAsync(3));
        Assert.Equal(0, _server.Length);
    }

    [Fact]
    public async Task A_client_that_reads_slowly_gets_every_byte_in_order_and_holds_up_the_writer()
    {
        _socket.SendBufferSize = 16 * 1024;
        _client.ReceiveBufferSize = 16 * 1024;
        await using var stream = Create();
        await HearAsync(stream);
        var random = new Random(7);
        byte[][] frames = [.. Enumerable.Range(0, 200).Select(i => new byte[i % 20 == 0 ? 300_000 : random.Next(1, 5_000)])];
        foreach (var frame in frames)
        {
            random.NextBytes(frame);
            frame[0] = 0x82;
        }

        // Half of them in turn, half all at once: then each waits for its turn.
        var writing = Task.Run(async () =>
        {
            foreach (var frame in frames[..100])
                await stream.WriteAsync(frame);
            await Task.WhenAll(frames[100..].Select(frame => stream.WriteAsync(frame).AsTask()));
        });
        await Task.Delay(100);
        Assert.False(writing.IsCompleted);

        Assert.Equal(frames.SelectMany(frame => frame), await ReceiveAsync(frames.Sum(frame => frame.Length)));
        await writing;
    }

    [Fact]
    public async Task A_client_that_takes_nothing_is_cut_and_what_waits_for_him_fails()
    {
        var cut = new TaskCompletionSource();
        await using var stream = new FrameStream(_server, () => { _socket.Dispose(); cut.SetResult(); }, TimeSpan.FromMilliseconds(100), _socket);
        await HearAsync(stream);

        var writes = Enumerable.Range(0, 200).Select(_ => stream.WriteAsync(Frame(60_000)).AsTask()).ToArray();

        await cut.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await Assert.ThrowsAnyAsync<Exception>(() => Task.WhenAll(writes).WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.All(writes.Where(write => write.IsFaulted), write => Assert.True(write.Exception!.InnerException is IOException or ObjectDisposedException));
    }

    [Fact]
    public async Task A_client_that_has_gone_fails_the_write()
    {
        await using var stream = Create();
        await HearAsync(stream);
        _client.LingerState = new LingerOption(enable: true, seconds: 0);
        _client.Dispose();

        await Assert.ThrowsAsync<IOException>(async () =>
        {
            while (true)
                await stream.WriteAsync(Frame(10_000));
        }).WaitAsync(TimeSpan.FromSeconds(20));
    }

    private FrameStream Create() => new(_server, () => Assert.Fail("cut"), TimeSpan.FromMinutes(1), _socket);

    private static byte[] Frame(int length) => [0x82, .. new byte[length - 1]];

    /// <summary>The client's first bytes are read.</summary>
    private async Task HearAsync(FrameStream stream)
    {
        var at = _server.Position;
        _server.Write([0]);
        _server.Position = at;
        Assert.Equal(1, await stream.ReadAsync(new byte[1]));
        _server.SetLength(at);
    }

    private async Task<byte[]> ReceiveAsync(int length)
    {
        var bytes = new byte[length];
        for (var at = 0; at < length;)
        {
            var read = await _client.ReceiveAsync(bytes.AsMemory(at, Math.Min(7_000, length - at)));
            Assert.NotEqual(0, read);
            at += read;
        }

        return bytes;
    }
}
