using System.Collections.Concurrent;
using Collab.Server.Nodes;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.StackExchangeRedis;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Collab.Redis;

/// <summary>
/// Carries messages over SignalR's own Redis backplane, in which each node is one connection. While Redis is away nothing is carried, and
/// nobody waits; what was lost is in the rooms' logs.
/// </summary>
internal sealed class RedisBackplane : IBackplane, IDisposable
{
    /// <summary>More than this, in bytes, does not wait to be taken by Redis: it is lost, which the log makes up for.</summary>
    private const long MaxWaitingBytes = 16 * 1024 * 1024;

    private readonly SharedRedis _redis;
    private readonly ILoggerFactory _loggerFactory;
    private readonly ILogger _logger;
    private readonly NodeProtocol _protocol = new();
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly ConcurrentDictionary<string, bool> _groups = new(StringComparer.Ordinal);
    private readonly Lazy<RedisHubLifetimeManager<NodesHub>> _manager;
    private NodeConnection? _connection;
    private Action<string, ReadOnlyMemory<byte>> _received = static (_, _) => { };
    private Action _restored = static () => { };
    private long _waitingBytes;
    private bool _broken;

    public RedisBackplane(SharedRedis redis, ILoggerFactory loggerFactory)
    {
        (_redis, _loggerFactory) = (redis, loggerFactory);
        _logger = loggerFactory.CreateLogger("Collab.Redis");
        _manager = new(CreateManager);
        redis.Restored += () => _restored();
    }

    public bool IsShared => true;

    public bool IsConnected => _redis.IsConnected;

    public void Start(Action<string, ReadOnlyMemory<byte>> received, Action restored) => (_received, _restored) = (received, restored);

    public void Publish(string group, ReadOnlyMemory<byte> message)
    {
        if (!IsConnected)
            return;
        if (Interlocked.Add(ref _waitingBytes, message.Length) > MaxWaitingBytes)
        {
            Interlocked.Add(ref _waitingBytes, -message.Length);
            return;
        }

        _ = PublishAsync(group, message);
    }

    public async ValueTask JoinAsync(string group)
    {
        await ConnectedAsync();
        await _turn.WaitAsync();
        try
        {
            if (_connection is null || _broken)
                await BeginAsync();
            await _manager.Value.AddToGroupAsync(_connection!.ConnectionId, group);
            _groups[group] = true;
        }
        catch (Exception exception) when (SharedRedis.IsAway(exception))
        {
            // The lifetime manager takes a group for joined in which a join has failed half-way: it is begun anew.
            _broken = true;
            throw new BackplaneUnavailableException("Redis cannot be used now.", exception);
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask LeaveAsync(string group)
    {
        await _turn.WaitAsync();
        try
        {
            _groups.TryRemove(group, out _);
            if (_connection is not null && !_broken)
                await _manager.Value.RemoveFromGroupAsync(_connection.ConnectionId, group);
        }
        catch (Exception exception) when (SharedRedis.IsAway(exception))
        {
            _broken = true;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        try
        {
            if (_manager.IsValueCreated)
                _manager.Value.Dispose();
        }
        catch (Exception exception) when (SharedRedis.IsAway(exception))
        {
            // It unsubscribes, which Redis does for a connection that ends, too.
        }

        _turn.Dispose();
    }

    private async Task ConnectedAsync()
    {
        try
        {
            await _redis.ConnectionAsync();
        }
        catch (Exception exception) when (SharedRedis.IsAway(exception))
        {
            throw new BackplaneUnavailableException("Redis cannot be found.", exception);
        }

        if (!IsConnected)
            throw new BackplaneUnavailableException("Redis is not connected.");
    }

    /// <summary>Makes a connection that is in all groups in which this node is.</summary>
    private async Task BeginAsync()
    {
        if (_connection is { } former)
            await _manager.Value.OnDisconnectedAsync(former);
        var connection = _connection = new NodeConnection(_protocol, (group, message) => _received(group, message), _loggerFactory);
        await _manager.Value.OnConnectedAsync(connection);
        foreach (var group in _groups.Keys)
            await _manager.Value.AddToGroupAsync(connection.ConnectionId, group);
        _broken = false;
    }

    private RedisHubLifetimeManager<NodesHub> CreateManager() => new(
        _loggerFactory.CreateLogger<RedisHubLifetimeManager<NodesHub>>(),
        Options.Create(new RedisOptions { Configuration = _redis.Configuration, ConnectionFactory = _ => _redis.ConnectionAsync() }),
        _protocol);

    private async Task PublishAsync(string group, ReadOnlyMemory<byte> message)
    {
        try
        {
            // This node itself need not hear it.
            await _manager.Value.SendGroupExceptAsync(group, group, NodeProtocol.Arguments(message), _connection is { } self ? [self.ConnectionId] : []);
        }
        catch (Exception exception)
        {
            RedisLog.PublishFailed(_logger, exception);
        }
        finally
        {
            Interlocked.Add(ref _waitingBytes, -message.Length);
        }
    }

    /// <summary>Names the channels of the backplane.</summary>
    internal sealed class NodesHub : Hub;
}
