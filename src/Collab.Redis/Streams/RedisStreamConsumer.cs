using Collab.Server;
using Collab.Server.Consumers;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Collab.Redis.Streams;

/// <summary>
/// Publishes the entries of a stream, in order. One node at a time reads, as long as it holds a lease in Redis. It begins with what was handed
/// out and never acknowledged, by whomever; an entry is acknowledged when it is in its channel, or never will be.
/// </summary>
/// <remarks>
/// A node that has lost the lease without knowing can do no harm: it reads nothing more, and the next one publishes what it has not
/// acknowledged from the oldest on. Who publishes an entry first does not matter, as all do it in the stream's order, and the second is ignored.
/// </remarks>
internal sealed class RedisStreamConsumer(
    RedisStreamConsumerOptions options, RedisConnection connection, IChannelIntake intake, ILogger<RedisStreamConsumer> logger, TimeProvider clock)
    : BackgroundService
{
    // Nodes take turns, so all go by one name in the group.
    private const string Reader = "collab";
    private const string Oldest = "0-0";
    private const string New = ">";

    // Until it is looked again whether Redis, the store or the lease can be had.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly RedisKey _stream = options.Stream;
    private readonly RedisKey _lease = LeaseOf(options.Stream, options.Group);
    private readonly RedisValue _self = Guid.NewGuid().ToString("N");
    private readonly TimeSpan _leaseTime = TimeSpan.FromSeconds(options.LeaseSeconds);
    private readonly TimeSpan _poll = TimeSpan.FromMilliseconds(options.PollMilliseconds);
    private bool _isAway;

    public override void Dispose()
    {
        connection.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                try
                {
                    await ConsumeAsync(await connection.DatabaseAsync(stoppingToken), stoppingToken);
                }
                catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
                {
                    if (!_isAway)
                        RedisLog.ConsumerAway(logger, options.Name, exception.Message);
                    _isAway = true;
                }

                await Task.Delay(Pause, clock, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await ReleaseAsync();
        }
    }

    /// <summary>Reads as long as this node holds the lease.</summary>
    private async Task ConsumeAsync(IDatabase database, CancellationToken cancellationToken)
    {
        if (!await database.LockTakeAsync(_lease, _self, _leaseTime).WaitAsync(cancellationToken)
            && await database.LockQueryAsync(_lease).WaitAsync(cancellationToken) != _self)
        {
            return;
        }

        await MakeGroupAsync(database, cancellationToken);
        if (!await FinishAsync(database, cancellationToken))
            return;
        RedisLog.ConsumerReads(logger, options.Name, options.Stream);
        _isAway = false;
        while (await ReadAsync(database, cancellationToken) is { } entries)
        {
            if (entries.Length > 0)
                await PublishAsync(database, entries, cancellationToken);
            else
                await Task.Delay(_poll, clock, cancellationToken);
        }
    }

    private async Task MakeGroupAsync(IDatabase database, CancellationToken cancellationToken)
    {
        try
        {
            await database.StreamCreateConsumerGroupAsync(
                _stream, options.Group, options.FromEnd ? StreamPosition.NewMessages : StreamPosition.Beginning).WaitAsync(cancellationToken);
        }
        catch (RedisServerException exception) when (exception.Message.StartsWith("BUSYGROUP", StringComparison.Ordinal))
        {
            // It is there.
        }
    }

    /// <summary>Publishes what was handed out and not acknowledged (<c>XAUTOCLAIM</c>). While this node has the lease, nobody else is at it.</summary>
    /// <returns>False when the lease is lost.</returns>
    private async Task<bool> FinishAsync(IDatabase database, CancellationToken cancellationToken)
    {
        RedisValue from = Oldest;
        do
        {
            if (!await database.LockExtendAsync(_lease, _self, _leaseTime).WaitAsync(cancellationToken))
                return false;
            var claimed = await database.StreamAutoClaimAsync(_stream, options.Group, Reader, 0, from, options.Batch).WaitAsync(cancellationToken);
            if (claimed.DeletedIds.Length > 0)
                RedisLog.ConsumerMissed(logger, options.Name, claimed.DeletedIds.Length, options.Stream);
            if (claimed.ClaimedEntries.Length > 0)
                await PublishAsync(database, claimed.ClaimedEntries, cancellationToken);
            from = claimed.NextStartId;
        }
        while (from != Oldest);
        return true;
    }

    /// <summary>Reads what is new (<c>XREADGROUP</c>) only if this node still holds the lease, in one step, and extends it.</summary>
    /// <returns>Null when the lease is lost.</returns>
    private async Task<StreamEntry[]?> ReadAsync(IDatabase database, CancellationToken cancellationToken)
    {
        var transaction = database.CreateTransaction();
        transaction.AddCondition(Condition.StringEqual(_lease, _self));
        var reading = transaction.StreamReadGroupAsync(_stream, options.Group, Reader, New, options.Batch);
        _ = transaction.KeyExpireAsync(_lease, _leaseTime);
        return await transaction.ExecuteAsync().WaitAsync(cancellationToken) ? await reading : null;
    }

    private async Task PublishAsync(IDatabase database, StreamEntry[] entries, CancellationToken cancellationToken)
    {
        await intake.PublishAsync(options, [.. entries.Select(MessageOf)], cancellationToken);
        // What was refused stays in the stream, and is in the log by its id.
        await database.StreamAcknowledgeAsync(_stream, options.Group, [.. entries.Select(entry => entry.Id)]).WaitAsync(cancellationToken);
    }

    private ConsumedMessage MessageOf(StreamEntry entry) =>
        new(entry.Id, field => entry[field], entry[options.DataField] is { IsNull: false } data ? (ReadOnlyMemory<byte>)data : null);

    // The next node need not wait.
    private async Task ReleaseAsync()
    {
        try
        {
            await (await connection.DatabaseAsync(CancellationToken.None)).LockReleaseAsync(_lease, _self);
        }
        catch (Exception exception) when (SharedRedis.IsAway(exception))
        {
            // It waits, then.
        }
    }

    /// <summary>The key of the lease. In a cluster it is where the stream is.</summary>
    private static string LeaseOf(string stream, string group)
    {
        var open = stream.IndexOf('{', StringComparison.Ordinal);
        var hasTag = open >= 0 && stream.IndexOf('}', open) > open + 1;
        return hasTag ? $"{stream}:{group}:lease" : $"{{{stream}}}:{group}:lease";
    }
}
