using System.Collections.Concurrent;
using Collab.Server.Rooms;

namespace Collab.Storage.GroupCommit;

/// <summary>How writes gather, are committed and are told, whatever the store.</summary>
public sealed class GroupCommitWriterTests : IAsyncLifetime
{
    private readonly HeldStore _store = new();
    private GroupCommitWriter? _writer;

    private GroupCommitWriter Writer => _writer ??= new(_store, maxQueuedBytes: 1 << 20, new StorageMetrics(), "writer under test");

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _store.LetGo();
        await Writer.DisposeAsync();
        Assert.True(_store.IsClosed);
    }

    [Fact]
    public async Task What_gathers_during_a_commit_is_committed_together()
    {
        var first = Write();
        await _store.CommitBegun();
        var rest = Enumerable.Range(0, 100).Select(_ => Write()).ToArray();
        _store.LetGo();
        await first;
        await Task.WhenAll(rest);
        Assert.Equal([1, 100], _store.Commits.Select(writes => writes.Count));
    }

    [Fact]
    public async Task A_transaction_is_bounded()
    {
        var first = Write();
        await _store.CommitBegun();
        var rest = Enumerable.Range(0, GroupCommitWriter.MaxBatchRows + 1).Select(_ => Write()).ToArray();
        _store.LetGo();
        await first;
        await Task.WhenAll(rest);
        Assert.Equal([1, GroupCommitWriter.MaxBatchRows, 1], _store.Commits.Select(writes => writes.Count));
    }

    [Fact]
    public async Task Callers_are_told_one_after_another_on_one_thread_that_is_not_the_writers()
    {
        var first = Write();
        await _store.CommitBegun();
        var threads = new ConcurrentQueue<int>();
        var rest = Enumerable.Range(0, 50).Select(async _ =>
        {
            await Writer.WriteAsync(new CheckWrite(), default).ConfigureAwait(false);
            threads.Enqueue(Environment.CurrentManagedThreadId);
        }).ToArray();
        _store.LetGo();
        await first;
        await Task.WhenAll(rest);
        Assert.NotEqual(_store.WriterThread, Assert.Single(threads.Distinct()));
    }

    [Fact]
    public async Task More_than_may_wait_is_refused_at_once()
    {
        var first = Write();
        await _store.CommitBegun();
        var room = new RoomKey(RoomKind.Document, "room");
        var large = Writer.WriteAsync(new AppendWrite(room, [new NewLogEntry(new byte[1 << 20])]), default).AsTask();
        Assert.True(large.IsFaulted);
        await Assert.ThrowsAsync<RoomLogUnavailableException>(() => large);
        _store.LetGo();
        await first;
        // Alone it passes: otherwise it could never be written.
        await Writer.WriteAsync(new AppendWrite(room, [new NewLogEntry(new byte[2 << 20])]), default);
    }

    [Fact]
    public async Task A_waiting_write_can_be_taken_back()
    {
        var first = Write();
        await _store.CommitBegun();
        using var cancellation = new CancellationTokenSource();
        var second = Write(cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        _store.LetGo();
        await first;
        await Write();
        Assert.Equal([1, 1], _store.Commits.Select(writes => writes.Count));
    }

    [Fact]
    public async Task A_write_that_is_being_committed_is_waited_for_even_when_cancelled()
    {
        using var cancellation = new CancellationTokenSource();
        var first = Write(cancellation.Token);
        await _store.CommitBegun();
        await cancellation.CancelAsync();
        Assert.False(first.IsCompleted);
        _store.LetGo();
        Assert.True(await first);
    }

    [Fact]
    public async Task One_that_is_unfit_fails_alone()
    {
        var first = Write();
        await _store.CommitBegun();
        var before = Write();
        var unfit = Writer.WriteAsync(new DeleteWrite(HeldStore.Unfit), default).AsTask();
        var after = Write();
        _store.LetGo();
        Assert.True(await first);
        Assert.True(await before);
        await Assert.ThrowsAsync<RoomLogUnavailableException>(() => unfit);
        Assert.True(await after);
    }

    [Fact]
    public async Task When_the_store_is_unavailable_all_who_wait_are_refused_and_later_ones_are_tried()
    {
        var first = Write();
        await _store.CommitBegun();
        var waiting = Enumerable.Range(0, 3 * GroupCommitWriter.MaxBatchRows).Select(_ => Write()).ToArray();
        _store.FailNext(2, new RoomLogUnavailableException("test"));
        _store.LetGo();
        await Assert.ThrowsAsync<RoomLogUnavailableException>(() => first);
        foreach (var write in waiting)
            await Assert.ThrowsAsync<RoomLogUnavailableException>(() => write);
        await Assert.ThrowsAsync<RoomLogUnavailableException>(() => Write());
        Assert.True(await Write());
    }

    [Fact]
    public async Task A_failure_that_nobody_foresaw_refuses_its_batch_and_does_not_end_the_writer()
    {
        _store.FailNext(1, new InvalidCastException("test"));
        _store.LetGo();
        await Assert.ThrowsAsync<RoomLogUnavailableException>(() => Write());
        Assert.True(await Write());
    }

    private Task<bool> Write(CancellationToken cancellationToken = default) =>
        Writer.WriteAsync(new CheckWrite(), cancellationToken).AsTask();

    /// <summary>A store whose first commit waits until it is let go.</summary>
    private sealed class HeldStore : IBatchStore
    {
        public static readonly RoomKey Unfit = new(RoomKind.Document, "unfit");

        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _go = new();
        private int _failuresLeft;
        private Exception? _failure;

        public List<IReadOnlyList<LogWrite>> Commits { get; } = [];

        public int WriterThread { get; private set; }

        public bool IsClosed { get; private set; }

        public Task CommitBegun() => _begun.Task;

        public void LetGo() => _go.TrySetResult();

        public void FailNext(int commits, Exception failure) => (_failuresLeft, _failure) = (commits, failure);

        public void Open() => WriterThread = Environment.CurrentManagedThreadId;

        public void Commit(IReadOnlyList<LogWrite> writes)
        {
            _begun.TrySetResult();
            _go.Task.GetAwaiter().GetResult();
            if (_failuresLeft-- > 0)
                throw _failure!;
            if (writes.Any(write => write is DeleteWrite { Room: var room } && room == Unfit))
                throw new UnfitWriteException("test", new InvalidOperationException());
            foreach (var write in writes)
            {
                if (write is LogWrite<bool> one)
                    one.Outcome = true;
            }

            Commits.Add(writes);
        }

        public void TidyUp(bool idle)
        {
        }

        public void Dispose() => IsClosed = true;
    }
}
