using Collab.Server.Nodes;
using Collab.Server.Rooms;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Collab.Server.Events;

/// <summary>What the delivery to every sink needs.</summary>
internal sealed class EventServices(
    IRoomLog log,
    NodeBus bus,
    EventSinks sinks,
    SinkStates states,
    EventComposer composer,
    EventDeadLetters deadLetters,
    EventMetrics metrics,
    IOptions<EventOptions> options,
    TimeProvider clock,
    ILoggerFactory loggers)
{
    public IRoomLog Log { get; } = log;

    public EventSinks Sinks { get; } = sinks;

    public SinkStates States { get; } = states;

    public EventComposer Composer { get; } = composer;

    public EventDeadLetters DeadLetters { get; } = deadLetters;

    public EventMetrics Metrics { get; } = metrics;

    public EventOptions Options { get; } = options.Value;

    public TimeProvider Clock { get; } = clock;

    public ILogger Logger { get; } = loggers.CreateLogger("Collab.Events");

    /// <summary>How often the outbox is looked at without a reason: nobody says what other nodes write.</summary>
    public TimeSpan PollInterval { get; } = bus.IsShared ? TimeSpan.FromMilliseconds(250) : TimeSpan.FromSeconds(5);
}

/// <summary>Delivers the outbox's events to all sinks, on one node of all, and takes away what all have got.</summary>
internal sealed class EventDispatcher(
    EventServices services, DispatcherLease lease, EventOutbox outbox, ChannelOccupancy occupancy, NodeBus bus, NodeDirectory nodes) : BackgroundService
{
    private static readonly TimeSpan TrimInterval = TimeSpan.FromSeconds(10);
    // In this time all nodes that are there are heard of.
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    // By the sinks' order; null while the delivery begins anew.
    private readonly SinkDelivery?[] _deliveries = new SinkDelivery?[services.Sinks.All.Count];

    /// <summary>Notes where new sinks begin before the server listens, if the store lets it.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            foreach (var sink in services.Sinks.All)
                await services.States.ReadAsync(sink.Name, cancellationToken);
        }
        catch (RoomLogUnavailableException exception)
        {
            EventLog.StoreAway(services.Logger, exception);
        }

        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_deliveries.Length == 0)
            return;
        for (var i = 0; i < _deliveries.Length; i++)
        {
            var number = i;
            services.Metrics.Observe(services.Sinks.All[i].Name, () => _deliveries[number]?.InHand ?? 0);
        }

        outbox.Written += Hurry;
        try
        {
            while (true)
            {
                await lease.AcquireAsync(stoppingToken);
                EventLog.Began(services.Logger);
                await DeliverAsync(stoppingToken);
                EventLog.Ended(services.Logger);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
        finally
        {
            outbox.Written -= Hurry;
        }
    }

    private async Task DeliverAsync(CancellationToken stoppingToken)
    {
        using var turn = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        Task[] work = [.. _deliveries.Select((_, number) => DeliverAsync(number, turn.Token)), TrimAsync(turn.Token), LookForLostAsync(turn.Token)];
        try
        {
            await lease.HoldAsync(stoppingToken);
        }
        finally
        {
            await turn.CancelAsync();
            await Task.WhenAll(work);
            if (stoppingToken.IsCancellationRequested)
                await lease.ReleaseAsync(CancellationToken.None);
        }
    }

    /// <summary>Delivers to one sink, and begins anew when that has ended.</summary>
    private async Task DeliverAsync(int number, CancellationToken cancellationToken)
    {
        var sink = services.Sinks.All[number];
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await using var delivery = new SinkDelivery(sink, services);
                _deliveries[number] = delivery;
                await delivery.RunAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                break;
            }
            catch (RoomLogUnavailableException exception)
            {
                EventLog.StoreAway(services.Logger, exception);
            }
            catch (Exception exception)
            {
                EventLog.DeliveryFailed(services.Logger, sink.Name, exception);
            }
            finally
            {
                _deliveries[number] = null;
            }

            await Task.Delay(RetryInterval, services.Clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task TrimAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(TrimInterval, services.Clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                for (var shard = 0; shard < EventOutbox.Shards && !cancellationToken.IsCancellationRequested; shard++)
                    await TrimAsync(shard, cancellationToken);
            }
            catch (Exception exception) when (exception is RoomLogUnavailableException or OperationCanceledException)
            {
                // It is tried again, here or by who goes on.
            }
        }
    }

    /// <summary>Tells of channels whose subscribers went with their node.</summary>
    private async Task LookForLostAsync(CancellationToken cancellationToken)
    {
        HashSet<string> known = [];
        var mustLook = true;
        // Where there are several nodes, the others must be heard of first; and who hears nobody knows nothing.
        for (var heard = !bus.IsShared; !cancellationToken.IsCancellationRequested; heard = bus.IsConnected)
        {
            if (heard)
            {
                HashSet<string> present = [bus.Id, .. nodes.Ids()];
                mustLook |= !known.IsSubsetOf(present);
                known = present;
                mustLook = mustLook && !await TryForgetLostAsync(present, cancellationToken);
            }

            await Task.Delay(LookInterval, services.Clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> TryForgetLostAsync(HashSet<string> present, CancellationToken cancellationToken)
    {
        try
        {
            await occupancy.ForgetLostAsync(present, cancellationToken);
            return true;
        }
        catch (Exception exception) when (exception is RoomLogUnavailableException or OperationCanceledException)
        {
            // It is tried again, here or by who goes on.
            return false;
        }
    }

    private async Task TrimAsync(int shard, CancellationToken cancellationToken)
    {
        var head = (await services.Log.ReadHeadsAsync([EventOutbox.KeyOf(shard)], cancellationToken))[0].Offset;
        var done = _deliveries.Min(delivery => delivery?.DoneIn(shard) ?? 0);
        var keep = new LogRetention(Math.Max(head - done, 0), long.MaxValue, TimeSpan.FromHours(services.Options.KeepHours + 1));
        while (await services.Log.TrimAsync(EventOutbox.KeyOf(shard), keep, cancellationToken) == LogRetention.MaxTrim)
            continue;
    }

    private void Hurry(int shard)
    {
        foreach (var delivery in _deliveries)
            delivery?.NoteWritten(shard);
    }
}
