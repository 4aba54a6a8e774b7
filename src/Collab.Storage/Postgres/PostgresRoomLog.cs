using System.Diagnostics.Metrics;
using Collab.Protocol;
using Collab.Server.Rooms;
using Collab.Storage.GroupCommit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Collab.Storage.Postgres;

/// <summary>Room logs in a Postgres that any number of nodes share: in each one writer with group commit. See docs/storage.md.</summary>
internal sealed class PostgresRoomLog : IRoomLog, IAsyncDisposable, IDisposable
{
    /// <summary>So often a read is tried over another connection when one was lost.</summary>
    private const int ReadTries = 3;

    private static readonly TimeSpan ReadPause = TimeSpan.FromMilliseconds(50);

    private readonly PostgresDatabase _database;
    private readonly StoreHealth _reads;
    private readonly GroupCommitWriter _writer;

    public PostgresRoomLog(IOptions<PostgresRoomLogOptions> options, ILogger<PostgresRoomLog> logger, IMeterFactory? meters = null)
    {
        var metrics = new StorageMetrics(meters);
        _database = new PostgresDatabase(options.Value);
        _reads = new StoreHealth(logger, "reads", metrics);
        _writer = new GroupCommitWriter(
            new PostgresBatchStore(_database, options.Value.Patience, new StoreHealth(logger, "writes", metrics)),
            options.Value.MaxQueuedBytes,
            metrics,
            "Collab store writer");
    }

    public ValueTask<LogAppend> AppendAsync(
        RoomKey room, IReadOnlyList<NewLogEntry> entries, CancellationToken cancellationToken)
    {
        NewLogEntry.ThrowIfUnfit(entries);
        return _writer.WriteAsync(new AppendWrite(room, entries), cancellationToken);
    }

    public ValueTask<IReadOnlyList<LogAppend>?> AppendAsync(IReadOnlyList<RoomAppend> appends, CancellationToken cancellationToken)
    {
        RoomAppend.ThrowIfUnfit(appends);
        return _writer.WriteAsync(new AppendAllWrite(appends), cancellationToken);
    }

    public ValueTask<bool> CompactAsync(
        RoomKey room, Position through, ReadOnlyMemory<byte> snapshot, CancellationToken cancellationToken) =>
        _writer.WriteAsync(new CompactWrite(room, through, snapshot), cancellationToken);

    public ValueTask<int> TrimAsync(RoomKey room, LogRetention keep, CancellationToken cancellationToken) =>
        _writer.WriteAsync(new TrimWrite(room, keep), cancellationToken);

    public ValueTask<bool> DeleteAsync(RoomKey room, CancellationToken cancellationToken) =>
        _writer.WriteAsync(new DeleteWrite(room), cancellationToken);

    public ValueTask<LogPage> ReadAsync(
        RoomKey room, long after, int maxEntries, long maxBytes, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(after);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEntries);
        return ReadAsync(
            (connection, id) => PostgresQueries.ReadPageAsync(connection, id, room, after, maxEntries, maxBytes, cancellationToken),
            cancellationToken);
    }

    public ValueTask<LogPage> ReadBeforeAsync(
        RoomKey room, long before, int maxEntries, long maxBytes, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(before);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEntries);
        return ReadAsync(
            (connection, id) => PostgresQueries.ReadPageBeforeAsync(connection, id, room, before, maxEntries, maxBytes, cancellationToken),
            cancellationToken);
    }

    public ValueTask<IReadOnlyList<Position>> ReadHeadsAsync(IReadOnlyList<RoomKey> rooms, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(rooms);
        return ReadAsync(
            (connection, id) => PostgresQueries.ReadHeadsAsync(connection, id, rooms, cancellationToken), cancellationToken);
    }

    public ValueTask<IReadOnlyList<string>> ListAsync(
        RoomKind kind, string prefix, string? after, int limit, CancellationToken cancellationToken) =>
        ReadAsync((connection, _) => PostgresQueries.ListAsync(connection, kind, prefix, after, limit, cancellationToken), cancellationToken);

    public ValueTask<long> MeasureAsync(CancellationToken cancellationToken) =>
        ReadAsync((connection, _) => PostgresQueries.MeasureAsync(connection, cancellationToken), cancellationToken);

    public async ValueTask CheckAsync(CancellationToken cancellationToken)
    {
        await _writer.WriteAsync(new CheckWrite(), cancellationToken).ConfigureAwait(false);
        await ReadHeadsAsync([], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Commits what waits and closes the connections.</summary>
    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync().ConfigureAwait(false);
        await _database.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private async ValueTask<T> ReadAsync<T>(Func<NpgsqlConnection, byte[], Task<T>> read, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                var (connection, id) = await _database.OpenAsync(cancellationToken).ConfigureAwait(false);
                await using var open = connection.ConfigureAwait(false);
                var result = await read(connection, id).ConfigureAwait(false);
                _reads.Succeeded();
                return result;
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                if (!PostgresFailure.IsPassing(e) || tries == ReadTries)
                {
                    _reads.Failed(e);
                    throw PostgresFailure.ToUnavailable(e);
                }

                _database.Forget();
                await Task.Delay(ReadPause, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
