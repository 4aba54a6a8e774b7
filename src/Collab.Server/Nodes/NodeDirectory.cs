using System.Collections.Concurrent;
using MessagePack;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Collab.Server.Nodes;

/// <summary>The other nodes, as far as they are heard of: each says every second that it is there, and when it goes.</summary>
internal sealed class NodeDirectory(
    NodeBus bus, IServer server, IOptions<NodeOptions> options, TimeProvider clock, ILogger<NodeDirectory> logger)
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

    /// <summary>The address of another node; null when there is none of this id, or it is gone.</summary>
    public string? AddressOf(string node) => _others.GetValueOrDefault(node)?.Address;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        bus.Say(Group, Leaving, static (ref _) => { });
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!bus.IsShared)
            return;
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
            Note(node, address);
    }

    void INodeListener.Joined() => SayHere();

    void INodeListener.Lost(string node)
    {
        // It is this directory that has said so.
    }

    private void Note(string node, string address)
    {
        var isNew = !_others.ContainsKey(node);
        _others[node] = new Node(address, clock.GetTimestamp());
        if (!isNew)
            return;
        NodeLog.Found(logger, node, address);
        SayHere();
    }

    private void SayHere()
    {
        var address = options.Value.Address ?? server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "";
        bus.Say(Group, Here, (ref writer) => writer.Write(address));
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

    private sealed record Node(string Address, long HeardAt);
}
