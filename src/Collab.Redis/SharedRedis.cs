using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Collab.Redis;

/// <summary>
/// The connection to Redis that everything of this node uses. It is made in the background and comes back by itself: nothing waits for it.
/// </summary>
internal sealed class SharedRedis : IDisposable
{
    /// <summary>The configuration key of the connection string.</summary>
    public const string ConnectionString = "ConnectionStrings:Redis";

    private const string DefaultPrefix = "collab";

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger;
    private readonly CancellationTokenSource _disposed = new();
    private volatile Task<ConnectionMultiplexer> _connecting;
    private int _isAway;

    public SharedRedis(IConfiguration configuration, ILoggerFactory loggerFactory)
    {
        _logger = loggerFactory.CreateLogger("Collab.Redis");
        Configuration = Parse(configuration[ConnectionString]);
        Prefix = Configuration.ChannelPrefix.IsNullOrEmpty ? DefaultPrefix : Configuration.ChannelPrefix.ToString();
        Configuration.ChannelPrefix = RedisChannel.Literal(Prefix);
        // Redis may be away when a node starts, and while it runs; who wants something of it then is told at once.
        Configuration.AbortOnConnectFail = false;
        Configuration.BacklogPolicy = BacklogPolicy.FailFast;
        // Threads of its own would cost a message two hops more.
        Configuration.SocketManager = SocketManager.ThreadPool;
        _connecting = BeginAsync();
    }

    /// <summary>Called when messages can be carried again that may have been lost before.</summary>
    public event Action? Restored;

    /// <summary>How Redis is connected to.</summary>
    public ConfigurationOptions Configuration { get; }

    /// <summary>Begins the names of all keys and channels.</summary>
    public string Prefix { get; }

    public bool IsConnected => _connecting.IsCompletedSuccessfully && _connecting.Result.IsConnected;

    /// <summary>The connection once it was tried for the first time, whatever came of that.</summary>
    /// <exception cref="RedisException">No sentinel could say where Redis is; that is tried again in the background.</exception>
    public async Task<IConnectionMultiplexer> ConnectionAsync() => await _connecting;

    /// <summary>Reads a connection string of StackExchange.Redis.</summary>
    /// <exception cref="InvalidOperationException">It is none; says what to set.</exception>
    public static ConfigurationOptions Parse(string? text) => TryParse(text)
        ?? throw new InvalidOperationException($"Set {ConnectionString} to a connection string such as redis.example:6379,password=….");

    /// <summary>Reads a connection string of StackExchange.Redis.</summary>
    /// <returns>Null when it is none. What is wrong with it is not told: that may be the password.</returns>
    public static ConfigurationOptions? TryParse(string? text)
    {
        try
        {
            return ConfigurationOptions.Parse(text ?? "") is { EndPoints.Count: > 0 } options ? options : null;
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException)
        {
            return null;
        }
    }

    /// <summary>
    /// Whether an exception says that Redis cannot be used now. A command that waits longer than its connection lives is also cancelled,
    /// as after a node was paused.
    /// </summary>
    public static bool IsAway(Exception exception) =>
        exception is RedisException or TimeoutException or OperationCanceledException or ObjectDisposedException;

    public void Dispose()
    {
        _disposed.Cancel();
        _ = _connecting.ContinueWith(
            static connecting => connecting.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
    }

    private async Task<ConnectionMultiplexer> BeginAsync()
    {
        try
        {
            return await ConnectAsync();
        }
        catch (Exception exception) when (IsAway(exception))
        {
            _isAway = 1;
            RedisLog.Away(_logger, nameof(ConnectionFailureType.UnableToConnect));
            _ = TryAgainAsync();
            throw;
        }
    }

    /// <summary>A connection comes back by itself, but there is none as long as no sentinel says where Redis is.</summary>
    private async Task TryAgainAsync()
    {
        while (true)
        {
            try
            {
                await Task.Delay(Pause, _disposed.Token);
                _connecting = Task.FromResult(await ConnectAsync());
                break;
            }
            catch (Exception exception) when (IsAway(exception))
            {
                if (_disposed.IsCancellationRequested)
                    return;
            }
        }

        if (_disposed.IsCancellationRequested)
        {
            Dispose();
            return;
        }

        // From here on it comes back by itself, and says so.
        if (!IsConnected)
            return;
        if (Interlocked.Exchange(ref _isAway, 0) == 1)
            RedisLog.Connected(_logger);
        Restored?.Invoke();
    }

    private async Task<ConnectionMultiplexer> ConnectAsync()
    {
        var connection = await ConnectionMultiplexer.ConnectAsync(Configuration);
        if (!connection.IsConnected)
        {
            _isAway = 1;
            RedisLog.Away(_logger, nameof(ConnectionFailureType.UnableToConnect));
        }

        connection.ConnectionFailed += (_, failed) =>
        {
            if (Interlocked.Exchange(ref _isAway, 1) == 0)
                RedisLog.Away(_logger, failed.FailureType.ToString());
        };
        connection.ConnectionRestored += (_, restored) =>
        {
            if (Interlocked.Exchange(ref _isAway, 0) == 1)
                RedisLog.Connected(_logger);
            if (restored.ConnectionType is ConnectionType.Subscription)
                Restored?.Invoke();
        };
        return connection;
    }
}
