using System.Collections.Concurrent;
using Collab.Server.Channels.Handlers;
using Collab.Server.Events;
using Collab.Server.Fanout;
using Collab.Server.Nodes;
using Collab.Server.Rooms;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Collab.Server.Channels;

/// <summary>
/// The channels that are open on this node. Sweeps away rooms that nobody is in, users who have not come back, and messages that are too
/// old, also of channels that are not open; tells those who get only a part how far they are.
/// </summary>
internal sealed class ChannelRooms(
    IRoomLog log,
    EventOutbox outbox,
    CollabLifetimeManager connections,
    IOptions<ChannelOptions> options,
    ChannelMetrics metrics,
    RoomMetrics roomMetrics,
    NodeBus bus,
    IEnumerable<IChannelHandler> handlers,
    TimeProvider clock,
    ILoggerFactory loggerFactory)
    : BackgroundService
{
    private const int NamesAtOnce = 100;

    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, ChannelRoom> _rooms = new(StringComparer.Ordinal);
    private readonly IChannelHandler[] _handlers = [.. handlers];
    private readonly InMemoryRoomLog _memory = new(clock);
    private readonly ILogger _logger = loggerFactory.CreateLogger("Collab.Channels");

    public ILogger Logger => _logger;

    /// <summary>How many channels are open.</summary>
    public int Count => _rooms.Count;

    /// <summary>The rooms of the open channels.</summary>
    public IEnumerable<ChannelRoom> Open() => _rooms.Select(room => room.Value);

    /// <summary>The open channel's room, or null.</summary>
    public ChannelRoom? Find(string channel) => _rooms.GetValueOrDefault(channel);

    /// <summary>A channel's room, which is opened if need be and stays open until <see cref="ChannelRoom.Leave"/>.</summary>
    public ChannelRoom Enter(string channel)
    {
        while (true)
        {
            var room = _rooms.GetOrAdd(channel, Open);
            if (room.TryEnter())
            {
                room.Peers.Open();
                return room;
            }

            Close(room);
        }
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await Task.WhenAll(_rooms.Values.Select(room => room.Events?.CloseAsync() ?? Task.CompletedTask)).WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // A handler takes longer than there is time.
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        roomMetrics.Observe(RoomKind.Channel, () => _rooms.Count, () => _rooms.Sum(room => room.Value.ResidentBytes));
        using var timer = new PeriodicTimer(SweepInterval, clock);
        var lastTrim = clock.GetTimestamp();
        var trimming = Task.CompletedTask;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await SweepAsync();
                // Beside the sweeping, which must not wait for many channels.
                if (!trimming.IsCompleted || clock.GetElapsedTime(lastTrim).TotalMilliseconds < options.Value.TrimMilliseconds)
                    continue;
                lastTrim = clock.GetTimestamp();
                trimming = TrimAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }

        await trimming;
    }

    private ChannelRoom Open(string channel)
    {
        var space = options.Value.Of(channel);
        // Several nodes have no memory in common.
        var isInMemory = space.Ephemeral && !bus.IsShared;
        return new ChannelRoom(
            channel, space, isInMemory ? _memory : log, isInMemory ? null : outbox, connections, options.Value, metrics, roomMetrics, bus, _handlers, clock, _logger);
    }

    private void Close(ChannelRoom room)
    {
        if (!_rooms.TryRemove(KeyValuePair.Create(room.Name, room)))
            return;
        room.Peers.Close();
        _ = room.Events?.CloseAsync();
    }

    private async Task SweepAsync()
    {
        try
        {
            await SweepRoomsAsync();
        }
        catch (Exception exception)
        {
            ChannelLog.SweepFailed(_logger, exception);
        }
    }

    private async Task SweepRoomsAsync()
    {
        var emptySince = Environment.TickCount64 - options.Value.LingerMilliseconds;
        var resident = 0L;
        foreach (var room in _rooms.Values)
        {
            await room.Presence.ExpireAsync();
            room.Views.Ring(tellsProgress: true);
            if (room.TryRetire(emptySince))
                Close(room);
            else
                resident += room.ResidentBytes;
        }

        foreach (var room in _rooms.Values)
        {
            if (resident <= options.Value.ResidentBytes)
                break;
            resident -= room.ResidentBytes;
            room.DropResident();
        }
    }

    private async Task TrimAsync(CancellationToken stoppingToken)
    {
        try
        {
            await TrimAsync(log, stoppingToken);
            await TrimAsync(_memory, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
        catch (RoomLogUnavailableException exception)
        {
            ChannelLog.TrimmingFailed(_logger, exception);
        }
        catch (Exception exception)
        {
            ChannelLog.SweepFailed(_logger, exception);
        }
    }

    private async Task TrimAsync(IRoomLog from, CancellationToken stoppingToken)
    {
        string? last = null;
        do
        {
            var names = await from.ListAsync(RoomKind.Channel, "", last, NamesAtOnce, stoppingToken);
            foreach (var name in names)
            {
                var keep = options.Value.Of(name).Retention;
                while (await from.TrimAsync(new RoomKey(RoomKind.Channel, name), keep, stoppingToken) == LogRetention.MaxTrim)
                    continue;
            }

            last = names.Count == NamesAtOnce ? names[^1] : null;
        }
        while (last is not null);
    }
}
