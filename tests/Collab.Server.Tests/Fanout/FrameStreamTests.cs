using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Collab.Server.Fanout.WebSockets;

namespace Collab.Server.Tests.Fanout;

/// <summary>Two write frames to one WebSocket, over a connection that takes a kilobyte at a time.</summary>
public sealed class FrameStreamTests
{
    private static readonly byte[] Close = [0x88, 0];

    private readonly Pipe _connection = new(new PipeOptions(pauseWriterThreshold: 1024, resumeWriterThreshold: 512));

    [Fact]
    public async Task A_frame_waits_for_the_one_before_it()
    {
        await using var stream = Create(TimeSpan.FromMinutes(1));
        var first = stream.WriteAsync(Frame(2000, 'a')).AsTask();
        var second = stream.WriteAsync(Frame(10, 'b')).AsTask();
        Assert.False(first.IsCompleted || second.IsCompleted);

        var bytes = await ReadAsync(2000);
        await Task.WhenAll(first, second);
        bytes += await ReadAsync(10);

        Assert.Equal(new string('a', 2000) + new string('b', 10), bytes);
    }

    [Fact]
    public async Task Nothing_follows_the_frame_that_closes()
    {
        await using var stream = Create(TimeSpan.FromMinutes(1));
        await stream.WriteAsync(Close);
        await stream.WriteAsync(Frame(10, 'a'));
        await _connection.Writer.CompleteAsync();

        Assert.Equal(Close, (await _connection.Reader.ReadAtLeastAsync(100)).Buffer.FirstSpan.ToArray());
    }

    [Fact]
    public async Task A_connection_that_takes_nothing_is_cut_once_the_patience_is_over()
    {
        var cut = new TaskCompletionSource();
        await using var stream = Create(TimeSpan.FromMilliseconds(50), cut.SetResult);
        _ = stream.WriteAsync(Frame(2000, 'a')).AsTask();
        await cut.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task What_cannot_be_written_fails_the_task_and_lets_the_next_have_its_turn()
    {
        await using var stream = Create(TimeSpan.FromMinutes(1));
        await _connection.Writer.CompleteAsync();
        var first = stream.WriteAsync(Frame(10, 'a'));
        var second = stream.WriteAsync(Frame(10, 'b'));

        await Assert.ThrowsAsync<InvalidOperationException>(() => first.AsTask());
        await Assert.ThrowsAsync<InvalidOperationException>(() => second.AsTask());
    }

    [Fact]
    public async Task A_large_frame_may_take_long_as_long_as_it_goes_on()
    {
        await using var stream = Create(TimeSpan.FromSeconds(2));
        var write = stream.WriteAsync(Frame(640 * 1024, 'a')).AsTask();
        for (var part = 0; part < 10; part++)
        {
            Assert.False(write.IsCompleted);
            await Task.Delay(300);
            Assert.Equal(64 * 1024, (await ReadAsync(64 * 1024)).Length);
        }

        await write;
        Assert.InRange(stream.ProgressedAt, 1, Environment.TickCount64);
    }

    [Fact]
    public async Task Nothing_follows_half_a_frame()
    {
        var connection = new Failing();
        await using var stream = new FrameStream(connection, () => Assert.Fail("cut"), TimeSpan.FromMinutes(1));

        await Assert.ThrowsAsync<IOException>(() => stream.WriteAsync(Frame(640 * 1024, 'a')).AsTask());
        await stream.WriteAsync(Frame(10, 'b'));

        Assert.Equal(64 * 1024, connection.Length);
    }

    private FrameStream Create(TimeSpan patience, Action? abort = null) =>
        new(_connection.Writer.AsStream(), abort ?? (() => Assert.Fail("cut")), patience);

    private static byte[] Frame(int bytes, char content) => Enumerable.Repeat((byte)content, bytes).ToArray();

    private async Task<string> ReadAsync(int bytes)
    {
        var read = await _connection.Reader.ReadAtLeastAsync(bytes);
        var text = Encoding.ASCII.GetString(read.Buffer.Slice(0, bytes).ToArray());
        _connection.Reader.AdvanceTo(read.Buffer.GetPosition(bytes));
        return text;
    }

    /// <summary>Takes one write, and fails once.</summary>
    private sealed class Failing : MemoryStream
    {
        private int _writes;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            ++_writes == 2 ? ValueTask.FromException(new IOException()) : base.WriteAsync(buffer, cancellationToken);
    }
}
