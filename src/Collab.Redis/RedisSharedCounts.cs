using Collab.Server.Limits;
using StackExchange.Redis;

namespace Collab.Redis;

/// <summary>Counts in Redis: one hash for each node, which is gone soon after the node is.</summary>
internal sealed class RedisSharedCounts(SharedRedis redis) : ISharedCounts
{
    private const int FieldsAtOnce = 1_000;

    private static readonly TimeSpan TimeToLive = TimeSpan.FromSeconds(15);

    public void Put(string node, string key, int count)
    {
        if (!redis.IsConnected || Database is not { } database)
            return;
        if (count == 0)
            database.HashDelete(NameOf(node), key, CommandFlags.FireAndForget);
        else
            database.HashSet(NameOf(node), key, count, flags: CommandFlags.FireAndForget);
    }

    public async ValueTask<int> SumAsync(IReadOnlyList<string> nodes, string key)
    {
        if (nodes.Count == 0 || !redis.IsConnected || Database is not { } database)
            return 0;
        try
        {
            var counts = await Task.WhenAll(nodes.Select(node => database.HashGetAsync(NameOf(node), key)));
            return counts.Sum(count => count.TryParse(out int number) ? number : 0);
        }
        catch (Exception exception) when (SharedRedis.IsAway(exception))
        {
            return 0;
        }
    }

    public async Task KeepAsync(string node, Func<IEnumerable<KeyValuePair<string, int>>> all)
    {
        if (!redis.IsConnected || Database is not { } database)
            return;
        try
        {
            if (await database.KeyExpireAsync(NameOf(node), TimeToLive))
                return;
            // There is nothing to keep, or Redis has lost it.
            foreach (var some in all().Chunk(FieldsAtOnce))
                await database.HashSetAsync(NameOf(node), [.. some.Select(one => new HashEntry(one.Key, one.Value))]);
            await database.KeyExpireAsync(NameOf(node), TimeToLive);
        }
        catch (Exception exception) when (SharedRedis.IsAway(exception))
        {
            // It is tried again soon.
        }
    }

    private IDatabase? Database => redis.ConnectionAsync() is { IsCompletedSuccessfully: true } connecting ? connecting.Result.GetDatabase() : null;

    private string NameOf(string node) => $"{redis.Prefix}:counts:{node}";
}
