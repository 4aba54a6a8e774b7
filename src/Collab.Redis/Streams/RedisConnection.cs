using StackExchange.Redis;

namespace Collab.Redis.Streams;

/// <summary>A connection to a Redis, which need not be that of the nodes. It is made when it is first needed, and comes back by itself.</summary>
internal sealed class RedisConnection : IDisposable
{
    private readonly ConfigurationOptions _configuration;
    private readonly Lock _gate = new();
    private Task<ConnectionMultiplexer>? _connecting;

    public RedisConnection(ConfigurationOptions configuration)
    {
        _configuration = configuration;
        _configuration.AbortOnConnectFail = false;
        // What would wait for Redis could be overtaken: who sends is told at once, and begins anew.
        _configuration.BacklogPolicy = BacklogPolicy.FailFast;
    }

    /// <summary>The database of the connection string.</summary>
    /// <exception cref="RedisException">Redis cannot be found now; the next call tries again.</exception>
    public async ValueTask<IDatabase> DatabaseAsync(CancellationToken cancellationToken)
    {
        Task<ConnectionMultiplexer> connecting;
        lock (_gate)
        {
            if (_connecting is null or { IsFaulted: true })
                _connecting = ConnectionMultiplexer.ConnectAsync(_configuration);
            connecting = _connecting;
        }

        return (await connecting.WaitAsync(cancellationToken)).GetDatabase();
    }

    public void Dispose()
    {
        if (_connecting is { IsCompletedSuccessfully: true } connected)
            connected.Result.Dispose();
    }
}
