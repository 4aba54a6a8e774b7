using Collab.Server.Fanout.WebSockets;

namespace Collab.Server.Tests.Fanout;

/// <summary>Frames that go straight to a real socket, past the server's stream.</summary>
public sealed class FrameStreamSocketTests
{
    private readonly MemoryStream _server = new();

    [Fact]
    public async Task Frames_go_straight_to_the_socket()
    {
        using var sockets = await SocketPair.ConnectAsync();
        await using var stream = Create(sockets);

        await stream.WriteAsync(new byte[] { 1, 2 });
        await stream.WriteAsync(new byte[] { 3 });

        Assert.Equal([1, 2, 3], await sockets.ReceiveAsync(3));
        Assert.Equal(0, _server.Length);
    }

    [Fact]
    public async Task A_client_that_reads_slowly_gets_every_byte_in_order_and_holds_up_who_waits_for_it()
    {
        using var sockets = await SocketPair.ConnectAsync(buffers: 16 * 1024);
        await using var stream = Create(sockets);
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

        Assert.Equal(frames.SelectMany(frame => frame), await sockets.ReceiveAsync(frames.Sum(frame => frame.Length)));
        await writing;
    }

    [Fact]
    public async Task A_client_that_takes_nothing_is_cut_and_nobody_waits_for_him_any_more()
    {
        using var sockets = await SocketPair.ConnectAsync();
        var cut = new TaskCompletionSource();
        await using var stream = Create(sockets, TimeSpan.FromMilliseconds(100), () =>
        {
            sockets.Server.Dispose();
            cut.TrySetResult();
        });
        var writes = Enumerable.Range(0, 200).Select(_ => stream.WriteAsync(Frame(60_000)).AsTask()).ToArray();
        Assert.False(writes[^1].IsCompleted);

        await cut.Task.WaitAsync(TimeSpan.FromSeconds(20));

        await Task.WhenAll(writes).WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task What_is_written_to_a_client_that_has_gone_is_lost_and_no_write_fails()
    {
        using var sockets = await SocketPair.ConnectAsync();
        await using var stream = Create(sockets);
        await stream.WriteAsync(Frame(1_000));
        sockets.Reset();

        for (var i = 0; i < 1_000; i++)
            await stream.WriteAsync(Frame(60_000)).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
    }

    private FrameStream Create(SocketPair sockets, TimeSpan? patience = null, Action? cut = null) =>
        new(_server, cut ?? (() => Assert.Fail("cut")), patience ?? TimeSpan.FromMinutes(1), sockets.Server);

    private static byte[] Frame(int length) => [0x82, .. new byte[length - 1]];
}
