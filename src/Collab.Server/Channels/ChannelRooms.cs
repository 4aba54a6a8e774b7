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
    private readonly ChannelHandlers _handlers = new([.. handlers]);
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

    /// <summary>Tells the subscribers, on all nodes, of messages that somebody else than the channel's room has committed.</summary>
    /// <param name="channel">The channel.</param>
    /// <param name="appended">What the append did.</param>
    /// <param name="entries">The messages that it appended, each a <see cref="ChannelEntry"/>.</param>
    public async Task SendOnAsync(string channel, LogAppend appended, IReadOnlyList<NewLogEntry> entries)
    {
        var room = Enter(channel);
        if (!room.IsOf(appended.Epoch))
        {
            room.Leave();
            GiveUp(room);
            room = Enter(channel);
        }

        try
        {
            await room.SendOnAsync(appended, entries);
        }
        finally
        {
            room.Leave();
        }
    }

    /// <summary>
    /// Begins a channel's log anew: it has another epoch from now on, so that whoever comes with a position is told that messages are lost. Those
    /// who are subscribed, on whatever node, are asked to come back.
    /// </summary>
    /// <exception cref="RoomLogUnavailableException">The store cannot do it now; do it again.</exception>
    public async Task RestartAsync(string channel, CancellationToken cancellationToken)
    {
        var key = new RoomKey(RoomKind.Channel, channel);
        if (!await log.DeleteAsync(key, cancellationToken))
        {
            // A log without entries keeps its epoch when it is deleted, and there may be readers with its position.
            var entry = new NewLogEntry(ChannelEntry.Encode(NewMessage.ReservedPrefix + "restarted", null, JsonData.Null.Utf8.Span));
            await log.AppendAsync(key, [entry], cancellationToken);
            await log.DeleteAsync(key, cancellationToken);
        }

        var room = Enter(channel);
        room.Peers.TellRestarted();
        room.Leave();
        GiveUp(room);
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
            channel, space, isInMemory ? _memory : log, isInMemory ? null : outbox, connections, options.Value, metrics, roomMetrics, bus, _handlers, GiveUp, clock, _logger);
    }

    private bool Close(ChannelRoom room)
    {
        if (!_rooms.TryRemove(KeyValuePair.Create(room.Name, room)))
            return false;
        room.Peers.Close();
        _ = room.Events?.CloseAsync();
        return true;
    }

    /// <summary>The log is another one than the room knows: whoever is in it comes back into a new one, and is told what he has lost.</summary>
    private void GiveUp(ChannelRoom room)
    {
        room.Retire();
        if (!Close(room))
            return;
        ChannelLog.Restarted(_logger, room.Name);
        _ = connections.ReconnectAsync([room.Key, .. room.Views.Keys]);
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
