namespace Collab.Client;

/// <summary>Jittered exponential backoff: how long to wait before an attempt, so that many clients do not come back at the same moment.</summary>
/// <param name="minimum">The first ceiling of the wait.</param>
/// <param name="maximum">The last ceiling of the wait.</param>
internal sealed class Backoff(TimeSpan minimum, TimeSpan maximum)
{
    private int _attempt;

    /// <summary>One for calls that are tried again.</summary>
    public static Backoff OfCalls() => new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10));

    /// <summary>Waits, evenly distributed between 0 and a ceiling that doubles each time; at most until cancelled. Never throws.</summary>
    public Task WaitAsync(CancellationToken cancellationToken)
    {
        var ceiling = Math.Min(maximum.TotalMilliseconds, minimum.TotalMilliseconds * Math.Pow(2, Math.Min(_attempt++, 30)));
#pragma warning disable CA5394 // Nobody gains from guessing it.
        return PauseAsync(TimeSpan.FromMilliseconds(Random.Shared.NextDouble() * ceiling), cancellationToken);
#pragma warning restore CA5394
    }

    /// <summary>Begins again at the first ceiling.</summary>
    public void Reset() => _attempt = 0;

    /// <summary>Waits, at most until cancelled. Never throws.</summary>
    public static async Task PauseAsync(TimeSpan time, CancellationToken cancellationToken) =>
        await Task.Delay(time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
}
