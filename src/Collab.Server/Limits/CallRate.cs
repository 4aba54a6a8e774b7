using System.Threading.RateLimiting;
using Collab.Protocol;

namespace Collab.Server.Limits;

/// <summary>How often callers may do something: a token bucket for each of them, which is forgotten when it is full again.</summary>
/// <typeparam name="TCaller">What tells callers apart.</typeparam>
internal sealed class CallRate<TCaller> : IDisposable
    where TCaller : notnull
{
    private readonly Func<TCaller, (int PerSecond, int Burst)> _rateOf;
    private readonly string _refusal;
    private readonly string _unit;
    private readonly PartitionedRateLimiter<TCaller> _buckets;

    /// <param name="rateOf">How much a caller may do a second, 0 for any number, and how much at once after a pause.</param>
    /// <param name="refusal">Begins the sentence for who does too much, such as "you publish too much".</param>
    /// <param name="unit">What is counted, such as "messages".</param>
    public CallRate(Func<TCaller, (int PerSecond, int Burst)> rateOf, string refusal, string unit)
    {
        (_rateOf, _refusal, _unit) = (rateOf, refusal, unit);
        _buckets = PartitionedRateLimiter.Create<TCaller, TCaller>(Partition);
    }

    /// <summary>Counts what a caller is about to do.</summary>
    /// <exception cref="CollabException">
    /// <c>rate_limited</c>: it is too much now; says when to try again. <c>too_large</c>: it would be too much at any time.
    /// </exception>
    public void Count(TCaller caller, int number = 1)
    {
        if (number > 1 && _rateOf(caller) is { PerSecond: > 0, Burst: var burst } && number > burst)
            throw new CollabException(ErrorCodes.TooLarge, $"at most {burst} {_unit} are taken at once");
        if (TryCount(caller, number, out var wait))
            return;
        throw new CollabException(ErrorCodes.RateLimited, $"{_refusal}; try again in {wait.TotalSeconds:0.###} seconds")
        {
            RetryAfter = wait,
        };
    }

    /// <summary>Counts what a caller is about to do.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="number">How much it is.</param>
    /// <param name="wait">When it is too much: how long until there is room for it.</param>
    /// <returns>False when it is too much.</returns>
    public bool TryCount(TCaller caller, int number, out TimeSpan wait)
    {
        wait = default;
        if (_rateOf(caller).PerSecond == 0)
            return true;
        using var lease = _buckets.AttemptAcquire(caller, number);
        if (!lease.IsAcquired && !lease.TryGetMetadata(MetadataName.RetryAfter, out wait))
            wait = TimeSpan.FromSeconds(1);
        return lease.IsAcquired;
    }

    public void Dispose() => _buckets.Dispose();

    private RateLimitPartition<TCaller> Partition(TCaller caller)
    {
        var (perSecond, burst) = _rateOf(caller);
        var tokens = Math.Max(perSecond / 10, 1);
        return RateLimitPartition.GetTokenBucketLimiter(caller, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = burst,
            TokensPerPeriod = tokens,
            ReplenishmentPeriod = TimeSpan.FromSeconds((double)tokens / perSecond),
            QueueLimit = 0,
            AutoReplenishment = true,
        });
    }
}
