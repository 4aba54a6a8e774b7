using Collab.Protocol;

namespace Collab.Server.Security;

/// <summary>Keeps tickets in memory, for a server that is alone. Bounded: those that come when it is full are refused.</summary>
internal sealed class InMemoryTicketStore(TimeProvider clock) : ITicketStore
{
    private const int MaxTickets = 100_000;
    private const long MaxBytes = 128 * 1024 * 1024;

    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Kept> _tickets = new(StringComparer.Ordinal);
    private long _bytes;
    private DateTimeOffset _nextSweep;

    public ValueTask PutAsync(string key, byte[] content, TimeSpan timeToLive, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        lock (_lock)
        {
            Sweep(now);
            if (_tickets.Count >= MaxTickets || _bytes + content.Length > MaxBytes)
            {
                throw new CollabException(ErrorCodes.RateLimited, "too many tickets wait to be used; try again later")
                {
                    RetryAfter = SweepInterval,
                };
            }

            _tickets.Add(key, new Kept(content, now + timeToLive));
            _bytes += content.Length;
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask<byte[]?> TakeAsync(string key, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        lock (_lock)
        {
            if (!_tickets.Remove(key, out var kept))
                return ValueTask.FromResult<byte[]?>(null);
            _bytes -= kept.Content.Length;
            return ValueTask.FromResult(kept.Until > now ? kept.Content : null);
        }
    }

    // Whoever adds tickets takes those away that nobody came for.
    private void Sweep(DateTimeOffset now)
    {
        if (now < _nextSweep)
            return;
        _nextSweep = now + SweepInterval;
        foreach (var (key, kept) in _tickets)
        {
            if (kept.Until > now)
                continue;
            _tickets.Remove(key);
            _bytes -= kept.Content.Length;
        }
    }

    private readonly record struct Kept(byte[] Content, DateTimeOffset Until);
}
