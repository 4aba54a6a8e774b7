using Collab.PostgresChanges.Decoding;
using Collab.PostgresChanges.Messages;
using Collab.PostgresChanges.Replication;
using Collab.Server.Channels;
using Collab.Server.Events;
using Collab.Server.Rooms;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Npgsql.Replication;

namespace Collab.PostgresChanges;

/// <summary>
/// Follows the tables for as long as the server runs: waits for this node's turn, makes sure that the slot goes on where it was left or makes it anew,
/// and reads it. Whatever fails is told once and tried again.
/// </summary>
internal sealed class ChangesReader : BackgroundService
{
    private static readonly TimeSpan TurnInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan SlotPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly PostgresChangesOptions _options;
    private readonly FollowedTable[] _tables;
    private readonly IRoomLog _log;
    private readonly EventOutbox _outbox;
    private readonly ChannelRooms _channels;
    private readonly ChangesStatus _status;
    private readonly ChangesMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly RoomKey _room;
    private TimeSpan _pause = FirstPause;

    public ChangesReader(
        IOptions<PostgresChangesOptions> options,
        IOptions<ChannelOptions> channelOptions,
        IRoomLog log,
        EventOutbox outbox,
        ChannelRooms channels,
        ChangesStatus status,
        ChangesMetrics metrics,
        TimeProvider clock,
        ILogger<ChangesReader> logger)
    {
        (_options, _log, _outbox, _channels) = (options.Value, log, outbox, channels);
        (_status, _metrics, _clock, _logger) = (status, metrics, clock, logger);
        _room = ChangeProgress.RoomOf(_options.Slot);
        _tables =
        [
            .. _options.Tables.Select((table, i) => new FollowedTable(
                i, table.Split('.')[0], table.Split('.')[1], channelOptions.Value.Of(FollowedTable.ChannelOf(table)).MaxMessageBytes)),
        ];
        if (_tables.Length > 0)
            channelOptions.Value.PublishedByServer.Add(FollowedTable.Prefix + "*");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_tables.Length == 0)
            return;
        // The server starts whatever the database does.
        await Task.Yield();
        try
        {
            while (true)
            {
                if (await TryTurnAsync(stoppingToken))
                    continue;
                await Task.Delay(_pause * (0.5 + (Random.Shared.NextDouble() / 2)), _clock, stoppingToken);
                _pause = _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
    }

    /// <returns>False when something has failed, and a pause is due.</returns>
    private async Task<bool> TryTurnAsync(CancellationToken stoppingToken)
    {
        try
        {
            await using var source = new PostgresSource(_options);
            await WaitForTurnAsync(source, stoppingToken);
            await TakeTurnAsync(source, stoppingToken);
            return true;
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            throw;
        }
        catch (TurnLostException)
        {
            return false;
        }
        catch (Exception exception)
        {
            Fail(exception);
            return false;
        }
        finally
        {
            _status.IsReading = false;
            _status.Lag = null;
        }
    }

    private async Task WaitForTurnAsync(PostgresSource source, CancellationToken cancellationToken)
    {
        for (var isTold = false; !await source.TryTakeTurnAsync(cancellationToken); isTold = true)
        {
            if (!isTold)
                ChangesLog.Waiting(_logger, _options.Slot);
            _status.Fault = null;
            await Task.Delay(TurnInterval, _clock, cancellationToken);
        }
    }

    private async Task TakeTurnAsync(PostgresSource source, CancellationToken cancellationToken)
    {
        await source.CheckServerAsync(cancellationToken);
        await using var connection = await source.ConnectAsync(cancellationToken);
        var published = await source.PublishAsync(_tables, cancellationToken);
        var fault = published.Faults.Count == 0 ? null : string.Join(" ", published.Faults);
        if (fault is not null && fault != _status.Fault)
            ChangesLog.TablesMissing(_logger, fault);
        _status.Fault = fault;
        if (published.Publication == 0)
        {
            await WatchAsync(source, published, cancellationToken);
            return;
        }

        FollowedTable[] tables = [.. published.Tables.Select(table => table.Table)];
        var (progress, head) = await ChangeProgress.ReadAsync(_log, _options.Slot, cancellationToken);
        var writer = new ChangeWriter(_log, _outbox, _channels, _room, _tables, _metrics, _logger) { Head = head };
        progress = await GoOnAsync(source, await connection.IdentifySystem(cancellationToken), published, progress, writer, cancellationToken);

        using var decoder = new ChangeDecoder(tables, _tables.Length, new TypeCatalog(source.Connections), progress);
        connection.WalReceiverStatusInterval = TimeSpan.FromSeconds(1);
        connection.SetReplicationStatus(new NpgsqlTypes.NpgsqlLogSequenceNumber(progress.Lsn));
        var stream = new ChangeStream(connection, decoder, writer, _options);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ChangesLog.Reading(_logger, tables.Length, _options.Slot);
        _status.IsReading = true;
        _pause = FirstPause;
        var (reading, watching) = (stream.RunAsync(token => source.Read(connection, token), ended.Token), WatchAsync(source, published, ended.Token));
        var first = await Task.WhenAny(reading, watching);
        await ended.CancelAsync();
        await Task.WhenAny(first == reading ? watching : reading);
        await first;
    }

    /// <summary>Makes sure that nothing is missing between what is stored and what the slot delivers next; else everything begins anew.</summary>
    private async Task<ChangeProgress> GoOnAsync(
        PostgresSource source,
        ReplicationSystemIdentification system,
        Published published,
        ChangeProgress? progress,
        ChangeWriter writer,
        CancellationToken cancellationToken)
    {
        var slot = await WaitForSlotAsync(source, cancellationToken);
        var ids = published.Tables.ToDictionary(table => table.Table.FullName, table => table.Ids, StringComparer.Ordinal);
        if (progress is null || BreakBetween(progress, slot, system, published) is not null)
        {
            if (progress is not null)
                ChangesLog.SlotLost(_logger, _options.Slot, BreakBetween(progress, slot, system, published)!);
            // Whatever happens from here on, it is done again until it was done whole.
            progress = new ChangeProgress(system.SystemId, published.Publication, ids, Lsn: 0);
            await writer.WriteAsync(progress, batch: null, cancellationToken);
            if (slot is not null)
                await source.DropSlotAsync(cancellationToken);
            ChangesLog.MakingSlot(_logger, _options.Slot);
            progress = progress with { Lsn = await source.MakeSlotAsync(cancellationToken) };
            // After the slot is there: who reads the table when he has the new epoch lacks nothing then.
            await BeginAnewAsync(published.Tables, cancellationToken);
        }
        else
        {
            var known = progress.Tables;
            await BeginAnewAsync(published.Tables.Where(table => known.GetValueOrDefault(table.Table.FullName) != table.Ids), cancellationToken);
            progress = progress with { Tables = ids };
        }

        await writer.WriteAsync(progress, batch: null, cancellationToken);
        return progress;
    }

    /// <summary>The connection of the node that had its turn before may live a little longer than its turn.</summary>
    private async Task<Slot?> WaitForSlotAsync(PostgresSource source, CancellationToken cancellationToken)
    {
        var started = _clock.GetTimestamp();
        while (true)
        {
            var slot = await source.FindSlotAsync(cancellationToken);
            if (slot is not { IsActive: true })
                return slot;
            if (_clock.GetElapsedTime(started) > SlotPatience)
                throw new ChangesFaultException($"Somebody else reads the slot {_options.Slot}. End that, or set Collab:PostgresChanges:Slot to another name.");
            await Task.Delay(TurnInterval, _clock, cancellationToken);
        }
    }

    private async Task BeginAnewAsync(IEnumerable<PublishedTable> tables, CancellationToken cancellationToken)
    {
        foreach (var (table, _, _, _) in tables)
        {
            ChangesLog.TableBegins(_logger, table.FullName);
            await _channels.RestartAsync(table.Channel, cancellationToken);
            _metrics.Restarted();
        }
    }

    /// <summary>Why changes may be missing between what is stored and what the slot delivers; null when none is.</summary>
    private static string? BreakBetween(ChangeProgress progress, Slot? slot, ReplicationSystemIdentification system, Published published) =>
        progress.System != system.SystemId ? "the database is another one"
        : progress.Lsn == 0 ? "it was being made anew"
        : progress.Lsn > (ulong)system.XLogPos ? "the database has gone back to an earlier state"
        : progress.Publication != published.Publication ? "its publication was made anew"
        : slot is null ? "it was dropped"
        : slot.IsLost ? "the server has thrown away what was not read yet, as max_slot_wal_keep_size says"
        : slot.Confirmed == 0 || slot.Confirmed > progress.Lsn ? "somebody else has read it, or made it anew"
        : null;

    /// <summary>Looks at the slot and the tables now and then. Ends when the tables are not as they were.</summary>
    private async Task WatchAsync(PostgresSource source, Published published, CancellationToken cancellationToken)
    {
        var isFarBehind = false;
        do
        {
            if ((await source.FindSlotAsync(cancellationToken))?.Lag is { } lag)
            {
                _status.Lag = lag;
                if (lag.Bytes >= _options.LagAlarmBytes != isFarBehind)
                {
                    isFarBehind = !isFarBehind;
                    if (isFarBehind)
                        ChangesLog.FarBehind(_logger, _options.Slot, lag.Bytes, lag.KeptBytes);
                    else
                        ChangesLog.CaughtUp(_logger, _options.Slot);
                }
            }

            await Task.Delay(_options.CheckMilliseconds, cancellationToken);
        }
        while ((await source.FindAsync(_tables, cancellationToken)).IsSameAs(published));
    }

    private void Fail(Exception exception)
    {
        var fault = exception switch
        {
            ChangesFaultException => exception.Message,
            RoomLogUnavailableException => "The store cannot be used now.",
            PostgresException postgres => $"The database says: {postgres.MessageText} ({postgres.SqlState}).",
            NpgsqlException or IOException or System.Net.Sockets.SocketException or TimeoutException => "The database cannot be reached, or has ended the connection.",
            _ => null,
        };
        if (fault is null)
            ChangesLog.FailedUnexpectedly(_logger, exception);
        else if (fault != _status.Fault)
            ChangesLog.Failed(_logger, fault);
        _status.Fault = fault ?? "Changes of tables are not read, for an unexpected reason.";
    }
}
