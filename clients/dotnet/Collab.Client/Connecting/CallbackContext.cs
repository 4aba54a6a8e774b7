namespace Collab.Client;

/// <summary>
/// Where everything of a connection happens, one thing after the other: on the <see cref="SynchronizationContext"/> of who made the
/// connection (a window's thread, say), else on the thread pool. So nothing below needs a lock, and handlers find their own thread.
/// </summary>
internal sealed class CallbackContext : SynchronizationContext
{
    private readonly SynchronizationContext? _caller;
    private readonly Action<Exception> _failed;
    // Held while something runs: contexts of test runners, for one, run several things at once.
    private readonly Lock _running = new();
    private readonly Lock _queueing = new();
    private Queue<(SendOrPostCallback Callback, object? State)> _queue = new();
    private Queue<(SendOrPostCallback Callback, object? State)> _spare = new();
    private bool _isScheduled;

    /// <param name="caller">Where to run things; null for the thread pool.</param>
    /// <param name="failed">Told of what handlers throw when there is no <paramref name="caller"/> to throw it at.</param>
    public CallbackContext(SynchronizationContext? caller, Action<Exception> failed) => (_caller, _failed) = (caller, failed);

    /// <inheritdoc/>
    public override SynchronizationContext CreateCopy() => this;

    /// <inheritdoc/>
    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (_queueing)
        {
            _queue.Enqueue((d, state));
            if (_isScheduled)
                return;
            _isScheduled = true;
        }
        Schedule();
    }

    /// <summary>Runs <paramref name="action"/> later, after all that was posted before.</summary>
    public void Post(Action action) => Post(static state => ((Action)state!)(), action);

    /// <inheritdoc/>
    public override void Send(SendOrPostCallback d, object? state)
    {
        if (_running.IsHeldByCurrentThread)
            d(state);
        else if (_caller is null)
            Run(d, state);
        else
            _caller.Send(_ => Run(d, state), null);
    }

    /// <summary>Runs <paramref name="action"/> now, when nothing else of the connection runs, and waits for its end.</summary>
    public void Send(Action action) => Send(static state => ((Action)state!)(), action);

    /// <summary>Starts something asynchronous here, which goes on here after each wait.</summary>
    public Task<T> RunAsync<T>(Func<Task<T>> start)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(async void () =>
        {
            try
            {
                done.SetResult(await start());
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        });
        return done.Task;
    }

    /// <inheritdoc cref="RunAsync{T}"/>
    public Task RunAsync(Func<Task> start) => RunAsync(async () =>
    {
        await start();
        return true;
    });

    /// <summary>Calls somebody's handlers. What they throw is their own matter: it stops nothing here.</summary>
    public void Tell(Action call)
    {
        try
        {
            call();
        }
        catch (Exception exception)
        {
            if (_caller is null)
                _failed(exception);
            else
                _caller.Post(static thrown => throw new InvalidOperationException("A handler of the connection's events has failed.", (Exception)thrown!), exception);
        }
    }

    private void Schedule()
    {
        if (_caller is null)
            ThreadPool.UnsafeQueueUserWorkItem(static context => context.Drain(), this, preferLocal: false);
        else
            _caller.Post(static context => ((CallbackContext)context!).Drain(), this);
    }

    // Runs what there is now and not what comes meanwhile, so that a window stays responsive.
    private void Drain()
    {
        Queue<(SendOrPostCallback Callback, object? State)> queue;
        lock (_queueing)
            (queue, _queue) = (_queue, _spare);
        foreach (var (callback, state) in queue)
            Tell(() => Run(callback, state));
        queue.Clear();
        lock (_queueing)
        {
            _spare = queue;
            _isScheduled = _queue.Count > 0;
            if (!_isScheduled)
                return;
        }
        Schedule();
    }

    private void Run(SendOrPostCallback callback, object? state)
    {
        lock (_running)
        {
            var former = Current;
            SetSynchronizationContext(this);
            try
            {
                callback(state);
            }
            finally
            {
                SetSynchronizationContext(former);
            }
        }
    }
}
