using System.Diagnostics;
using Collab.Server.Rooms;

namespace Collab.Storage.GroupCommit;

/// <summary>
/// The one writer of a database. Callers queue their writes; its thread takes all that has gathered, commits it in one transaction and
/// has the callers told by one work item of the thread pool, while it goes on with what has gathered meanwhile.
/// </summary>
internal sealed class GroupCommitWriter : IDisposable, IAsyncDisposable
{
    /// <summary>Bounds of one transaction, so that nobody waits long behind the others.</summary>
    internal const int MaxBatchRows = 512;
    internal const long MaxBatchBytes = 8 << 20;

    /// <summary>
    /// The shortest time between the beginnings of two commits while few writes wait. A lone write is committed at once; at a few
    /// thousand scattered writes a second this saves most of the commits, and so most of the processor's time.
    /// </summary>
    internal static readonly TimeSpan GatherTime = TimeSpan.FromMilliseconds(4);

    /// <summary>So many waiting writes are worth a commit of their own at any time.</summary>
    internal const int EnoughWrites = 8;

    private readonly IBatchStore _store;
    private readonly StorageMetrics _metrics;
    private readonly long _maxQueuedBytes;
    private readonly object _gate = new();
    private readonly Queue<LogWrite> _queue = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _queuedBytes;
    private long _lastCommit;
    private bool _threadWaits;
    private bool _closing;

    public GroupCommitWriter(IBatchStore store, long maxQueuedBytes, StorageMetrics metrics, string name)
    {
        _store = store;
        _metrics = metrics;
        _maxQueuedBytes = maxQueuedBytes;
        metrics.ObserveQueue(() => Volatile.Read(ref _queuedBytes));
        new Thread(Run) { IsBackground = true, Name = name }.Start();
    }

    /// <summary>Queues a write; its outcome comes when it is durable.</summary>
    /// <exception cref="RoomLogUnavailableException">It was not done: too much waits already, or the store cannot write.</exception>
    public ValueTask<TResult> WriteAsync<TResult>(LogWrite<TResult> write, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<TResult>(cancellationToken);
        lock (_gate)
        {
            if (_closing)
                return Refused<TResult>("The store is closed.");
            // A write larger than the bound passes when it is alone, or it could never be done.
            if (_queuedBytes > 0 && _queuedBytes + write.Bytes > _maxQueuedBytes)
                return Refused<TResult>("Too much waits to be written.");
            write.GiveUpWhen(cancellationToken);
            _queue.Enqueue(write);
            _queuedBytes += write.Bytes;
            if (_threadWaits)
                Monitor.Pulse(_gate);
        }

        return write.Task;
    }

    /// <summary>Commits what waits, closes the store and returns.</summary>
    public async ValueTask DisposeAsync()
    {
        Stop();
        await _stopped.Task.ConfigureAwait(false);
    }

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose()
    {
        Stop();
        _stopped.Task.GetAwaiter().GetResult();
    }

    private static ValueTask<TResult> Refused<TResult>(string why) =>
        ValueTask.FromException<TResult>(new RoomLogUnavailableException(why));

    private void Stop()
    {
        lock (_gate)
        {
            _closing = true;
            Monitor.Pulse(_gate);
        }
    }

    private void Run()
    {
        _store.Open();
        while (TakeBatch(everything: false, wait: true) is { } batch)
        {
            Commit(batch);
            Tell(batch);
            _store.TidyUp(IsIdle());
        }

        _store.Dispose();
        _stopped.SetResult();
    }

    private bool IsIdle()
    {
        lock (_gate)
            return _queue.Count == 0;
    }

    /// <summary>Takes what has gathered, at least one write and at most one transaction's worth; null when the writer is to end.</summary>
    private Batch? TakeBatch(bool everything, bool wait)
    {
        lock (_gate)
        {
            while (true)
            {
                if (wait)
                    Gather();
                var batch = new Batch();
                while (_queue.TryPeek(out var write) && (everything || batch.HasRoomFor(write)))
                {
                    _queue.Dequeue();
                    if (write.TryTake())
                        batch.Add(write);
                    else
                        _queuedBytes -= write.Bytes;
                }

                if (batch.Writes.Count > 0)
                    return batch;
                if (_closing || !wait)
                    return null;
                _threadWaits = true;
                Monitor.Wait(_gate);
                _threadWaits = false;
            }
        }
    }

    /// <summary>Gives up the lock for a moment when a few writes came right after the last commit, for others to join them.</summary>
    private void Gather()
    {
        var left = GatherTime - Stopwatch.GetElapsedTime(_lastCommit);
        if (_queue.Count is > 0 and < EnoughWrites && left > TimeSpan.Zero && !_closing)
            Monitor.Wait(_gate, left);
        _lastCommit = Stopwatch.GetTimestamp();
    }

    private void Commit(Batch batch)
    {
        try
        {
            var began = Stopwatch.GetTimestamp();
            _store.Commit(batch.Writes);
            _metrics.Committed(batch.Writes.Count, Stopwatch.GetElapsedTime(began));
        }
        catch (UnfitWriteException) when (batch.Writes.Count > 1)
        {
            // The others must not suffer for one: each gets a transaction of its own.
            foreach (var write in batch.Writes)
                CommitAlone(write);
        }
        catch (Exception e)
        {
            Fail(batch, e);
            if (e is RoomLogUnavailableException && TakeBatch(everything: true, wait: false) is { } waiting)
            {
                // Whoever waits would wait as long for the same answer, one transaction after the other.
                Fail(waiting, e);
                Tell(waiting);
            }
        }
    }

    private void CommitAlone(LogWrite write)
    {
        try
        {
            _store.Commit([write]);
        }
        catch (Exception e)
        {
            write.Failure = Unavailable(e);
        }
    }

    private static void Fail(Batch batch, Exception cause)
    {
        foreach (var write in batch.Writes)
            write.Failure = Unavailable(cause);
    }

    /// <summary>Each caller gets an exception of his own: they are thrown at the same time on several threads.</summary>
    private static RoomLogUnavailableException Unavailable(Exception cause) => cause is RoomLogUnavailableException or UnfitWriteException
        ? new(cause.Message, cause.InnerException)
        : new("The store failed.", cause);

    private void Tell(Batch batch)
    {
        lock (_gate)
            _queuedBytes -= batch.Bytes;
        ThreadPool.UnsafeQueueUserWorkItem(batch, preferLocal: false);
    }

    /// <summary>The writes of one transaction; as a work item it tells their callers, one after another.</summary>
    private sealed class Batch : IThreadPoolWorkItem
    {
        private int _rows;

        public List<LogWrite> Writes { get; } = [];

        public long Bytes { get; private set; }

        public bool HasRoomFor(LogWrite write) =>
            Writes.Count == 0 || (_rows + write.Rows <= MaxBatchRows && Bytes + write.Bytes <= MaxBatchBytes);

        public void Add(LogWrite write)
        {
            Writes.Add(write);
            _rows += write.Rows;
            Bytes += write.Bytes;
        }

        public void Execute()
        {
            foreach (var write in Writes)
                write.Complete();
        }
    }
}
