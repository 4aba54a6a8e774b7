using System.Threading.RateLimiting;
using Collab.Protocol;
using Microsoft.Extensions.Options;

namespace Collab.Server.Channels;

/// <summary>How much callers may publish: each of them, and all together in a namespace.</summary>
internal sealed class PublishLimits(IOptions<ChannelOptions> options) : IDisposable
{
    private readonly PartitionedRateLimiter<string> _callers = PartitionedRateLimiter.Create<string, string>(caller =>
        Partition(caller, options.Value.PublishesPerSecond, options.Value.PublishBurst), StringComparer.Ordinal);

    private readonly PartitionedRateLimiter<ChannelNamespace> _namespaces =
        PartitionedRateLimiter.Create<ChannelNamespace, ChannelNamespace>(space =>
            Partition(space, space.PublishesPerSecond, space.PublishesPerSecond));

    /// <summary>Counts messages.</summary>
    /// <exception cref="CollabException"><c>rate_limited</c>: there were too many; says when to try again.</exception>
    public void Count(string caller, ChannelNamespace space, int messages)
    {
        if (options.Value.PublishesPerSecond > 0)
            Acquire(_callers, caller, messages, options.Value.PublishBurst, "you publish");
        if (space.PublishesPerSecond > 0)
            Acquire(_namespaces, space, messages, space.PublishesPerSecond, "all together publish");
    }

    public void Dispose()
    {
        _callers.Dispose();
        _namespaces.Dispose();
    }

    private static void Acquire<T>(PartitionedRateLimiter<T> limiter, T key, int messages, int most, string who)
    {
        if (messages > most)
            throw new CollabException(ErrorCodes.TooLarge, $"at most {most} messages can be published at once");
        using var lease = limiter.AttemptAcquire(key, messages);
        if (lease.IsAcquired)
            return;
        var after = lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : TimeSpan.FromSeconds(1);
        throw new CollabException(ErrorCodes.RateLimited, $"{who} too much; try again in {after.TotalSeconds:0.###} seconds")
        {
            RetryAfter = after,
        };
    }

    private static RateLimitPartition<TKey> Partition<TKey>(TKey key, int perSecond, int burst)
    {
        var tokens = Math.Max(perSecond / 10, 1);
        return RateLimitPartition.GetTokenBucketLimiter(key, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = burst,
            TokensPerPeriod = tokens,
            ReplenishmentPeriod = TimeSpan.FromSeconds((double)tokens / perSecond),
            QueueLimit = 0,
            AutoReplenishment = true,
        });
    }
}
