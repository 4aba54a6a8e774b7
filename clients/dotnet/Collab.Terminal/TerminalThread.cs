using Terminal.Gui.App;

namespace Collab.Terminal;

/// <summary>The thread that reads keys and draws: what is posted runs on it, between two keys. The one that makes this is that thread.</summary>
/// <param name="app">The terminal.</param>
internal sealed class TerminalThread(IApplication app) : SynchronizationContext
{
    private readonly int _thread = Environment.CurrentManagedThreadId;

    /// <inheritdoc/>
    // Never at once, not even on that thread: it may be in the middle of something.
    public override void Post(SendOrPostCallback d, object? state) => app.AddTimeout(TimeSpan.Zero, () =>
    {
        d(state);
        return false;
    });

    /// <inheritdoc/>
    public override void Send(SendOrPostCallback d, object? state)
    {
        if (Environment.CurrentManagedThreadId == _thread)
        {
            d(state);
            return;
        }
        var done = new TaskCompletionSource();
        Post(_ =>
        {
            try
            {
                d(state);
                done.SetResult();
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        }, null);
        done.Task.GetAwaiter().GetResult();
    }
}
