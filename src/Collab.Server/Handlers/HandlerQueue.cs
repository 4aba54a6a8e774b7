using System.Threading.Channels;

namespace Collab.Server.Handlers;

/// <summary>
/// Tells an application's handlers what happens in one room: one thing after the other, and of each thing one handler after the other. Who has
/// something to tell does not wait.
/// </summary>
/// <typeparam name="THandler">What is told.</typeparam>
/// <param name="handlers">Who is told, in this order.</param>
/// <param name="clock">The time.</param>
/// <param name="failed">Told of a handler that has failed for good on one thing.</param>
internal sealed class HandlerQueue<THandler>(IReadOnlyList<THandler> handlers, TimeProvider clock, Action<THandler, Exception> failed)
    where THandler : notnull
{
    // The waits before what has failed is told once more.
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1)];

    private readonly Channel<Happening> _happenings = Channel.CreateUnbounded<Happening>(new() { SingleReader = true });
    private readonly TaskCompletionSource _closing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private Task? _telling;

    /// <summary>Tells one handler one thing.</summary>
    public delegate ValueTask Happening(THandler handler, CancellationToken cancellationToken);

    /// <summary>Tells something. After <see cref="CloseAsync"/> nobody is told any more.</summary>
    public void Tell(Happening happening)
    {
        lock (_gate)
            _telling ??= Task.Run(TellAsync);
        _happenings.Writer.TryWrite(happening);
    }

    /// <summary>Takes nothing more.</summary>
    /// <returns>Completes when the handlers know all that was told.</returns>
    public Task CloseAsync()
    {
        _closing.TrySetResult();
        _happenings.Writer.TryComplete();
        lock (_gate)
            return _telling ?? Task.CompletedTask;
    }

    private async Task TellAsync()
    {
        await foreach (var happening in _happenings.Reader.ReadAllAsync())
        {
            foreach (var handler in handlers)
                await TellAsync(happening, handler);
        }
    }

    private async Task TellAsync(Happening happening, THandler handler)
    {
        for (var attempt = 0; ; attempt++)
        {
            using var patience = new CancellationTokenSource(HandlerPatience.Time, clock);
            try
            {
                await happening(handler, patience.Token).AsTask().WaitAsync(patience.Token);
                return;
            }
            catch (Exception exception)
            {
                // One that takes too long would only hold up what comes after it once more.
                if (attempt == Pauses.Length || patience.IsCancellationRequested)
                {
                    failed(handler, exception);
                    return;
                }
            }

            // At the end it is tried again at once.
            await Task.WhenAny(Task.Delay(Pauses[attempt], clock), _closing.Task);
        }
    }
}

/// <summary>How long an application's code may take for one thing.</summary>
internal static class HandlerPatience
{
    public static TimeSpan Time { get; } = TimeSpan.FromSeconds(30);
}
