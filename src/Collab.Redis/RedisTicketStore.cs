using Collab.Protocol;
using Collab.Server;
using Collab.Server.Security;
using StackExchange.Redis;

namespace Collab.Redis;

/// <summary>Tickets that any node takes, whichever has issued them. While Redis is away there are none.</summary>
internal sealed class RedisTicketStore(SharedRedis redis) : ITicketStore
{
    public async ValueTask PutAsync(string key, byte[] content, TimeSpan timeToLive, CancellationToken cancellationToken) =>
        await DoAsync(database => database.StringSetAsync(NameOf(key), content, timeToLive), cancellationToken);

    public async ValueTask<byte[]?> TakeAsync(string key, CancellationToken cancellationToken) =>
        await DoAsync(database => database.StringGetDeleteAsync(NameOf(key)), cancellationToken);

    private string NameOf(string key) => $"{redis.Prefix}:ticket:{key}";

    private async Task<T> DoAsync<T>(Func<IDatabase, Task<T>> command, CancellationToken cancellationToken)
    {
        try
        {
            var connection = await redis.ConnectionAsync().WaitAsync(cancellationToken);
            return await command(connection.GetDatabase()).WaitAsync(cancellationToken);
        }
        catch (Exception exception) when (SharedRedis.IsAway(exception) && !cancellationToken.IsCancellationRequested)
        {
            throw new CollabException(ErrorCodes.Unavailable, "tickets cannot be kept or taken now; try again later", exception);
        }
    }
}
