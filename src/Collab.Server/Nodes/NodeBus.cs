using System.Buffers;
using System.Collections.Concurrent;
using Collab.Server.Operations;
using MessagePack;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Nodes;

/// <summary>
/// What this node says to the others and hears from them. Groups are joined in the background, again and again while the backplane
/// cannot be used: nobody waits for it.
/// </summary>
internal sealed class NodeBus : IDisposable
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<string, Joining> _groups = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stopped = new();
    private readonly IBackplane _backplane;
    private readonly TimeProvider _clock;
    private readonly NodeMetrics _metrics;
    private readonly ILogger _logger;

    public NodeBus(IBackplane backplane, NodeMetrics metrics, TimeProvider clock, ILogger<NodeBus> logger)
    {
        (_backplane, _metrics, _clock, _logger) = (backplane, metrics, clock, logger);
        backplane.Start(Receive, Restore);
    }

    /// <summary>This node's name among the others; another one after each start.</summary>
    public string Id { get; } = Guid.NewGuid().ToString("N");

    /// <inheritdoc cref="IBackplane.IsShared"/>
    public bool IsShared => _backplane.IsShared;

    /// <inheritdoc cref="IBackplane.IsConnected"/>
    public bool IsConnected => _backplane.IsConnected;

    /// <summary>Called after messages may have been lost, when everything is heard again.</summary>
    public event Action? Restored;

    /// <summary>Says something to the other nodes of a group. Never waits; it may be lost.</summary>
    /// <param name="group">The group.</param>
    /// <param name="kind">What it is, by the group's own numbers.</param>
    /// <param name="body">Writes the rest.</param>
    public void Say(string group, int kind, WriteBody body)
    {
        if (!IsShared)
            return;
        var message = new ArrayBufferWriter<byte>(256);
        var writer = new MessagePackWriter(message);
        writer.Write(Id);
        writer.Write(CollabActivity.TraceParent);
        writer.Write(kind);
        body(ref writer);
        writer.Flush();
        _metrics.Said();
        _backplane.Publish(group, message.WrittenMemory);
    }

    /// <summary>Begins to listen to a group.</summary>
    public void Join(string group, INodeListener listener)
    {
        if (!IsShared)
            return;
        var joining = new Joining(listener);
        _groups[group] = joining;
        _ = JoinAsync(group, joining);
    }

    /// <summary>Ends what <see cref="Join"/> began.</summary>
    public void Leave(string group, INodeListener listener)
    {
        if (IsShared && _groups.TryGetValue(group, out var joining) && joining.Listener == listener)
            _ = LeaveAsync(group, joining);
    }

    /// <summary>Tells all who listen that a node is gone.</summary>
    public void NoteLost(string node)
    {
        foreach (var joining in _groups.Values)
            joining.Listener.Lost(node);
    }

    public void Dispose()
    {
        _stopped.Cancel();
        _stopped.Dispose();
    }

    private async Task JoinAsync(string group, Joining joining)
    {
        try
        {
            while (true)
            {
                if (await TryJoinAsync(group, joining))
                    return;
                await Task.Delay(RetryInterval, _clock, _stopped.Token);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
        {
            // The node stops.
        }
    }

    /// <returns>False when it is to be tried again.</returns>
    private async Task<bool> TryJoinAsync(string group, Joining joining)
    {
        // Joining and leaving take turns, or a room that is opened anew could be left by the one that was closed.
        await joining.Turn.WaitAsync(_stopped.Token);
        try
        {
            if (!_groups.TryGetValue(group, out var current) || current != joining)
                return true;
            await _backplane.JoinAsync(group);
        }
        catch (BackplaneUnavailableException exception)
        {
            NodeLog.JoinFailed(_logger, exception);
            return false;
        }
        finally
        {
            joining.Turn.Release();
        }

        joining.Listener.Joined();
        return true;
    }

    private async Task LeaveAsync(string group, Joining joining)
    {
        await joining.Turn.WaitAsync();
        try
        {
            if (_groups.TryRemove(KeyValuePair.Create(group, joining)))
                await _backplane.LeaveAsync(group);
        }
        finally
        {
            joining.Turn.Release();
        }

        // Opened anew meanwhile: what was just left is joined again.
        if (_groups.TryGetValue(group, out var anew))
            await JoinAsync(group, anew);
    }

    private void Receive(string group, ReadOnlyMemory<byte> message)
    {
        if (!_groups.TryGetValue(group, out var joining))
            return;
        try
        {
            var reader = new MessagePackReader(message);
            var node = reader.ReadString()!;
            if (node == Id)
                return;
            _metrics.Heard();
            using var activity = CollabActivity.Deliver(reader.ReadString());
            joining.Listener.Receive(node, reader.ReadInt32(), ref reader);
        }
        catch (Exception exception)
        {
            // Of another version, perhaps: what it is about is in the log.
            NodeLog.NotUnderstood(_logger, exception);
        }
    }

    private void Restore()
    {
        _metrics.Restored();
        NodeLog.Restored(_logger);
        foreach (var joining in _groups.Values)
            joining.Listener.Joined();
        Restored?.Invoke();
    }

    private sealed class Joining(INodeListener listener)
    {
        public INodeListener Listener { get; } = listener;

        public SemaphoreSlim Turn { get; } = new(1, 1);
    }
}
