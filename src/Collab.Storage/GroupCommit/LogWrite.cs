using System.Threading.Tasks.Sources;
using Collab.Server.Rooms;

namespace Collab.Storage.GroupCommit;

/// <summary>One change that waits to be committed together with others, and the caller who waits for its outcome.</summary>
internal abstract class LogWrite
{
    private const int Waiting = 0;
    private const int Taken = 1;
    private const int GivenUp = 2;

    private int _state;
    private CancellationTokenRegistration _cancellation;

    /// <summary>How many rows it writes, roughly; bounds a transaction.</summary>
    public virtual int Rows => 1;

    /// <summary>How many bytes it keeps alive while it waits, roughly; bounds the queue.</summary>
    public virtual long Bytes => 256;

    /// <summary>Set when it could not be committed; the caller gets it instead of the outcome.</summary>
    public Exception? Failure { get; set; }

    /// <summary>
    /// Lets the token take the write back for as long as the writer has not begun with it. Afterwards the caller must wait: the
    /// writer reads his buffers, and he wants to know.
    /// </summary>
    public void GiveUpWhen(CancellationToken cancellationToken)
    {
        if (!cancellationToken.CanBeCanceled)
            return;
        _cancellation = cancellationToken.UnsafeRegister(static (state, token) =>
        {
            var write = (LogWrite)state!;
            if (Interlocked.CompareExchange(ref write._state, GivenUp, Waiting) != Waiting)
                return;
            write.Failure = new OperationCanceledException(token);
            // Who cancels must not have to run the caller's continuation.
            ThreadPool.UnsafeQueueUserWorkItem(static write => write.SetOutcome(), write, preferLocal: false);
        }, this);
    }

    /// <summary>False when the caller has given it up: it must be neither committed nor completed.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref _state, Taken, Waiting) == Waiting;

    /// <summary>Runs what the caller does next, on this thread.</summary>
    public void Complete()
    {
        _cancellation.Unregister();
        SetOutcome();
    }

    protected abstract void SetOutcome();
}

/// <summary>A <see cref="LogWrite"/> with a result. It is itself what its caller awaits, once: one object for each call.</summary>
internal abstract class LogWrite<TResult> : LogWrite, IValueTaskSource<TResult>
{
    private ManualResetValueTaskSourceCore<TResult> _source;

    /// <summary>What the store has done; holds only once the transaction is committed.</summary>
    public TResult Outcome { get; set; } = default!;

    public ValueTask<TResult> Task => new(this, _source.Version);

    protected override void SetOutcome()
    {
        if (Failure is null)
            _source.SetResult(Outcome);
        else
            _source.SetException(Failure);
    }

    TResult IValueTaskSource<TResult>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<TResult>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<TResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}
