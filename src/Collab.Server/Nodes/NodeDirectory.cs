using System.Collections.Concurrent;
using Collab.Server.Operations;
using MessagePack;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Collab.Server.Nodes;

/// <summary>The other nodes, as far as they are heard of: each says every second that it is there, and when it goes.</summary>
internal sealed class NodeDirectory(
    NodeBus bus, NodeMetrics metrics, IServer server, NodeLoadReader load, IOptions<NodeOptions> options, TimeProvider clock, ILogger<NodeDirectory> logger)
    : BackgroundService, INodeListener
{
    private const string Group = "nodes";
    private const int Here = 1;
    private const int Leaving = 2;

    private static readonly TimeSpan BeatInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, Node> _others = new(StringComparer.Ordinal);

    /// <summary>This node's id.</summary>
    public string Id => bus.Id;

    /// <summary>The ids of the other nodes.</summary>
    public IReadOnlyList<string> Ids() => _others.IsEmpty ? [] : [.. _others.Keys];

    /// <summary>The address of another node; null when there is none of this id, or it is gone.</summary>
    public string? AddressOf(string node) => _others.GetValueOrDefault(node)?.Address;

    /// <summary>The other nodes, by what they said last.</summary>
    public IReadOnlyList<NodeStatus> Others() =>
        [.. _others.Select(other => new NodeStatus(other.Key, other.Value.Address, other.Value.Load)).OrderBy(other => other.Address, StringComparer.Ordinal)];

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        bus.Say(Group, Leaving, static (ref _) => { });
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!bus.IsShared)
            return;
        metrics.Observe(() => _others.Count);
        bus.Join(Group, this);
        using var timer = new PeriodicTimer(BeatInterval, clock);
        try
        {
            do
            {
                SayHere();
                ForgetLost();
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
    }

    void INodeListener.Receive(string node, int kind, ref MessagePackReader body)
    {
        if (kind == Leaving)
            Forget(node);
        else if (kind == Here && body.ReadString() is { } address)
            Note(node, address, new NodeLoad(body.ReadInt64(), body.ReadInt32(), body.ReadInt32(), body.ReadInt64(), body.ReadInt64(), body.ReadInt64()));
    }

    void INodeListener.Joined() => SayHere();

    void INodeListener.Lost(string node)
    {
        // It is this directory that has said so.
    }

    private void Note(string node, string address, NodeLoad loadThere)
    {
        var isNew = !_others.ContainsKey(node);
        _others[node] = new Node(address, loadThere, clock.GetTimestamp());
        if (!isNew)
            return;
        NodeLog.Found(logger, node, address);
        SayHere();
    }

    private void SayHere()
    {
        var address = options.Value.Address ?? server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "";
        var now = load.Read();
        bus.Say(Group, Here, (ref writer) =>
        {
            writer.Write(address);
            writer.Write(now.Connections);
            writer.Write(now.Documents);
            writer.Write(now.Channels);
            writer.Write(now.Updates);
            writer.Write(now.Messages);
            writer.Write(now.Deliveries);
        });
    }

    private void ForgetLost()
    {
        foreach (var (id, node) in _others)
        {
            // While nothing is heard of anybody, nobody is taken for gone.
            if (!bus.IsConnected)
                _others[id] = node with { HeardAt = clock.GetTimestamp() };
            else if (clock.GetElapsedTime(node.HeardAt) > Patience)
                Forget(id);
        }
    }

    private void Forget(string node)
    {
        if (!_others.TryRemove(node, out _))
            return;
        NodeLog.Gone(logger, node);
        bus.NoteLost(node);
    }

    private sealed record Node(string Address, NodeLoad Load, long HeardAt);
}

/// <summary>Another node, by what it said last.</summary>
/// <param name="Node">Its id.</param>
/// <param name="Address">Where it is.</param>
/// <param name="Load">What it has to do.</param>
internal sealed record NodeStatus(string Node, string Address, NodeLoad Load);
