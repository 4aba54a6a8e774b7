using System.Buffers;
using System.IO.Pipelines;
using Collab.Server.Fanout.Sockets;

namespace Collab.Server.Tests.Fanout;

/// <summary>The server's writes, straight to a real socket.</summary>
public sealed class SocketOutputTests
{
    private readonly Pipe _kestrel = new();
    private int _aborts;

    [Fact]
    public async Task What_is_flushed_has_been_sent()
    {
        using var sockets = await SocketPair.ConnectAsync();
        var output = Create(sockets);
        output.Write<byte>([1, 2]);
        output.Write<byte>([3]);
        Assert.Equal((3, 0), (output.UnflushedBytes, sockets.Client.Available));

        var flush = output.FlushAsync();

        Assert.True(flush.IsCompletedSuccessfully);
        Assert.False((await flush).IsCompleted);
        Assert.Equal(0, output.UnflushedBytes);
        Assert.Equal([1, 2, 3], await sockets.ReceiveAsync(3));
    }

    [Fact]
    public async Task A_client_that_reads_slowly_gets_every_byte_in_order_and_holds_up_the_flush()
    {
        using var sockets = await SocketPair.ConnectAsync(buffers: 16 * 1024);
        var output = Create(sockets);
        var random = new Random(7);
        byte[][] parts = [.. Enumerable.Range(0, 200).Select(i => new byte[i % 20 == 0 ? 300_000 : random.Next(1, 5_000)])];
        foreach (var part in parts)
            random.NextBytes(part);

        var writing = Task.Run(async () =>
        {
            foreach (var part in parts)
                await output.WriteAsync(part);
        });
        await Task.Delay(100);
        Assert.False(writing.IsCompleted);

        Assert.Equal(parts.SelectMany(part => part), await sockets.ReceiveAsync(parts.Sum(part => part.Length)));
        await writing;
    }

    [Fact]
    public async Task A_client_that_has_gone_ends_the_connection_and_no_write_fails()
    {
        using var sockets = await SocketPair.ConnectAsync();
        var output = Create(sockets);
        sockets.Reset();

        while (!(await output.WriteAsync(new byte[10_000])).IsCompleted)
            await Task.Yield();

        Assert.True((await output.WriteAsync(new byte[10_000])).IsCompleted);
        Assert.Equal(1, _aborts);
    }

    [Fact]
    public async Task A_wait_for_a_client_that_takes_nothing_ends_with_the_connection()
    {
        using var sockets = await SocketPair.ConnectAsync();
        var output = Create(sockets);
        var flush = output.WriteAsync(new byte[50_000_000]).AsTask();
        Assert.False(flush.IsCompleted);

        sockets.Server.Dispose();

        Assert.True((await flush.WaitAsync(TimeSpan.FromSeconds(20))).IsCompleted);
    }

    [Fact]
    public async Task A_flush_for_which_nobody_waits_any_more_ends_the_connection()
    {
        using var sockets = await SocketPair.ConnectAsync();
        using var patience = new CancellationTokenSource();
        var output = new SocketOutput(_kestrel.Writer, sockets.Server, sockets.Server.Dispose);
        var flush = output.WriteAsync(new byte[50_000_000], patience.Token).AsTask();
        Assert.False(flush.IsCompleted);

        await patience.CancelAsync();

        Assert.True((await flush.WaitAsync(TimeSpan.FromSeconds(20))).IsCompleted);
    }

    [Fact]
    public async Task What_is_left_at_the_end_is_sent_by_the_server()
    {
        using var sockets = await SocketPair.ConnectAsync();
        var output = Create(sockets);
        output.Write<byte>([1, 2, 3]);

        await output.CompleteAsync();

        var rest = await _kestrel.Reader.ReadAtLeastAsync(100);
        Assert.True(rest.IsCompleted);
        Assert.Equal([1, 2, 3], rest.Buffer.ToArray());
    }

    [Fact]
    public async Task A_connection_that_is_kept_goes_on_when_who_wrote_has_ended()
    {
        using var sockets = await SocketPair.ConnectAsync();
        var output = Create(sockets);
        output.IsKept = true;

        await output.CompleteAsync();

        _kestrel.Reader.CancelPendingRead();
        Assert.False((await _kestrel.Reader.ReadAsync()).IsCompleted);
        await output.WriteAsync(new byte[] { 1, 2 });
        Assert.Equal([1, 2], await sockets.ReceiveAsync(2));
    }

    private SocketOutput Create(SocketPair sockets) => new(_kestrel.Writer, sockets.Server, () => _aborts++);
}
