using System.Diagnostics.Metrics;
using Collab.Protocol;
using Collab.Server.Rooms;
using Collab.Storage.GroupCommit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Collab.Storage.Sqlite;

/// <summary>Room logs in one SQLite file: one writer with group commit, several readers. See docs/storage.md.</summary>
internal sealed class SqliteRoomLog : IRoomLog, IDisposable, IAsyncDisposable
{
    private readonly SqliteReaders _readers;
    private readonly GroupCommitWriter _writer;

    public SqliteRoomLog(IOptions<SqliteRoomLogOptions> options, TimeProvider clock, ILogger<SqliteRoomLog> logger, IMeterFactory? meters = null)
    {
        var metrics = new StorageMetrics(meters);
        var database = new SqliteDatabase(options.Value);
        _readers = new SqliteReaders(database, new StoreHealth(logger, "reads", metrics));
        _writer = new GroupCommitWriter(
            new SqliteBatchStore(database, clock, new StoreHealth(logger, "writes", metrics)),
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
        return _readers.ReadAsync(
            session => SqliteQueries.ReadPage(session, room, after, maxEntries, maxBytes, cancellationToken), cancellationToken);
    }

    public ValueTask<LogPage> ReadBeforeAsync(
        RoomKey room, long before, int maxEntries, long maxBytes, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(before);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEntries);
        return _readers.ReadAsync(
            session => SqliteQueries.ReadPageBefore(session, room, before, maxEntries, maxBytes, cancellationToken), cancellationToken);
    }

    public ValueTask<IReadOnlyList<Position>> ReadHeadsAsync(IReadOnlyList<RoomKey> rooms, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(rooms);
        return _readers.ReadAsync(session => SqliteQueries.ReadHeads(session, rooms), cancellationToken);
    }

    public ValueTask<IReadOnlyList<string>> ListAsync(
        RoomKind kind, string prefix, string? after, int limit, CancellationToken cancellationToken) =>
        _readers.ReadAsync(session => SqliteQueries.List(session, kind, prefix, after, limit), cancellationToken);

    public ValueTask<long> MeasureAsync(CancellationToken cancellationToken) => _readers.ReadAsync(SqliteQueries.Measure, cancellationToken);

    public async ValueTask CheckAsync(CancellationToken cancellationToken)
    {
        await _writer.WriteAsync(new CheckWrite(), cancellationToken).ConfigureAwait(false);
        await _readers.ReadAsync(
            static session => session.Prepare("SELECT head FROM rooms LIMIT 1").RunForNumber(), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Commits what waits, moves the write-ahead log into the file and closes it.</summary>
    public async ValueTask DisposeAsync()
    {
        // The readers first: the connection that closes last tidies up, and that is to be the writer's.
        _readers.Dispose();
        await _writer.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose()
    {
        _readers.Dispose();
        _writer.Dispose();
    }
}
