using StackExchange.Redis;

namespace Collab.Redis.Streams;

/// <summary>A connection to a Redis, which need not be that of the nodes. It is made when it is first needed, and comes back by itself.</summary>
internal sealed class RedisConnection : IAsyncDisposable
{
    private readonly ConfigurationOptions _configuration;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private ConnectionMultiplexer? _connection;

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
        await _turn.WaitAsync(cancellationToken);
        try
        {
            _connection ??= await ConnectionMultiplexer.ConnectAsync(_configuration);
            return _connection.GetDatabase();
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is { } connection)
            await connection.DisposeAsync();
        _turn.Dispose();
    }
}
