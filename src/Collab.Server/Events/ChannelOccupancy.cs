using System.Text.Json;
using Collab.Protocol;
using Collab.Server.Channels;
using Collab.Server.Nodes;
using Collab.Server.Rooms;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Collab.Server.Events;

/// <summary>
/// Tells when a channel gets its first subscriber and when it loses its last one, on whatever node. Which nodes have subscribers stands in a log for
/// each channel, where only one node can have the next word; the event is written in the same commit.
/// </summary>
internal sealed class ChannelOccupancy(
    IRoomLog log, EventOutbox outbox, NodeBus bus, IOptions<ChannelOptions> options, TimeProvider clock, ILogger<ChannelOccupancy> logger) : IHostedService
{
    private const string Prefix = "occupied/";
    private const int NamesAtOnce = 100;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);
    private static readonly LogRetention Newest = new(1, long.MaxValue, TimeSpan.MaxValue);
    // A log that says that nobody is there says what an empty one does.
    private static readonly TimeSpan KeptEmpty = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Local> _channels = new(StringComparer.Ordinal);

    /// <summary>Somebody subscribes here.</summary>
    /// <returns>To be called once when he does no more.</returns>
    public Action Enter(string channel)
    {
        if (!outbox.Wants(EventTypes.ChannelOccupied, channel) && !outbox.Wants(EventTypes.ChannelVacated, channel))
            return static () => { };
        Count(channel, 1);
        return () => Count(channel, -1);
    }

    Task IHostedService.StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Nobody subscribes here any more.</summary>
    async Task IHostedService.StopAsync(CancellationToken cancellationToken)
    {
        string[] told;
        lock (_gate)
            told = [.. _channels.Where(channel => channel.Value.IsTold).Select(channel => channel.Key)];
        try
        {
            await Task.WhenAll(told.Select(channel => SetAsync(channel, bus.Id, isThere: false, cancellationToken)));
        }
        catch (Exception exception) when (exception is RoomLogUnavailableException or OperationCanceledException)
        {
            // The node that delivers events finds out that this one is gone.
        }
    }

    /// <summary>Takes away nodes that are gone, and what says nothing.</summary>
    /// <param name="present">The ids of the nodes that are there.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task ForgetLostAsync(IReadOnlySet<string> present, CancellationToken cancellationToken)
    {
        string? last = null;
        do
        {
            var names = await log.ListAsync(RoomKind.Events, Prefix, last, NamesAtOnce, cancellationToken);
            foreach (var name in names)
            {
                var (nodes, _) = await ReadAsync(name[Prefix.Length..], cancellationToken);
                foreach (var node in nodes.Where(node => !present.Contains(node)))
                    await SetAsync(name[Prefix.Length..], node, isThere: false, cancellationToken);
                if (nodes.Count == 0)
                    await log.TrimAsync(new RoomKey(RoomKind.Events, name), Newest with { MaxAge = KeptEmpty }, cancellationToken);
            }

            last = names.Count == NamesAtOnce ? names[^1] : null;
        }
        while (last is not null);
    }

    private void Count(string channel, int change)
    {
        lock (_gate)
        {
            if (!_channels.TryGetValue(channel, out var local))
                _channels.Add(channel, local = new Local());
            local.Subscribers += change;
            if (local.IsBusy || local.IsTold == local.Subscribers > 0)
                return;
            local.IsBusy = true;
        }

        _ = TellAsync(channel);
    }

    private async Task TellAsync(string channel)
    {
        while (NextToTell(channel) is { } isThere)
        {
            try
            {
                // Who only loads his page anew is no news.
                if (!isThere)
                    await Task.Delay(TimeSpan.FromMilliseconds(options.Value.PresenceGraceMilliseconds), clock);
                if (isThere != IsThere(channel))
                    continue;
                await SetAsync(channel, bus.Id, isThere, CancellationToken.None);
                lock (_gate)
                    _channels[channel].IsTold = isThere;
            }
            catch (RoomLogUnavailableException exception)
            {
                EventLog.StoreAway(logger, exception);
                await Task.Delay(RetryInterval, clock);
            }
            catch (Exception exception)
            {
                EventLog.OccupancyFailed(logger, channel, exception);
                await Task.Delay(RetryInterval, clock);
            }
        }
    }

    /// <summary>Whether there are subscribers, if that is not told; else null, and nobody tells it any more.</summary>
    private bool? NextToTell(string channel)
    {
        lock (_gate)
        {
            var local = _channels[channel];
            if (local.IsTold != local.Subscribers > 0)
                return !local.IsTold;
            local.IsBusy = false;
            if (local.Subscribers == 0)
                _channels.Remove(channel);
            return null;
        }
    }

    private bool IsThere(string channel)
    {
        lock (_gate)
            return _channels[channel].Subscribers > 0;
    }

    private async Task SetAsync(string channel, string node, bool isThere, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (nodes, position) = await ReadAsync(channel, cancellationToken);
            var before = nodes.Count;
            if (!(isThere ? nodes.Add(node) : nodes.Remove(node)))
                return;
            var room = KeyOf(channel);
            var append = new RoomAppend(room, [new NewLogEntry(JsonSerializer.SerializeToUtf8Bytes(nodes))], position);
            var type = before == 0 ? EventTypes.ChannelOccupied : nodes.Count == 0 ? EventTypes.ChannelVacated : null;
            var note = type is null ? null : new EventNote(type, RoomKind.Channel, channel);
            if (!await outbox.TryAppendAsync(append, note, cancellationToken))
                continue;
            await log.TrimAsync(room, Newest, cancellationToken);
            return;
        }
    }

    private async Task<(HashSet<string> Nodes, Position Position)> ReadAsync(string channel, CancellationToken cancellationToken)
    {
        var page = await log.ReadBeforeAsync(KeyOf(channel), long.MaxValue, 1, 1, cancellationToken);
        var nodes = page.Entries.Count == 0 ? [] : JsonSerializer.Deserialize<HashSet<string>>(page.Entries[^1].Data.Span)!;
        return (nodes, new Position(page.Epoch, page.Head));
    }

    private static RoomKey KeyOf(string channel) => new(RoomKind.Events, Prefix + channel);

    /// <summary>What is known of a channel here.</summary>
    private sealed class Local
    {
        public int Subscribers;
        public bool IsTold;
        public bool IsBusy;
    }
}
