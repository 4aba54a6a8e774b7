using Collab.Protocol;
using Collab.Server.Rooms;
using Npgsql;

namespace Collab.Storage.Postgres;

/// <summary>What is read from the database. Each answer is of one moment, and costs one round trip.</summary>
internal static class PostgresQueries
{
    /// <summary>Sorts after every character that a room's name can have (see <see cref="RoomName"/>).</summary>
    private const char AfterAllNames = '\u007f';

    private const string Room = "SELECT id, generation, head, snapshot, trimmed FROM collab.rooms WHERE kind = $1 AND name = $2";

    // Only as many bytes as are wanted leave the database: the sizes are known without reading the data.
    private const string EntriesAfter =
        """
        SELECT "offset", data, author, written_at FROM (
            SELECT e."offset", e.data, e.author, e.written_at, sum(octet_length(e.data)) OVER (ORDER BY e."offset") - octet_length(e.data) AS before
            FROM collab.entries e JOIN collab.rooms r ON r.id = e.room
            WHERE r.kind = $1 AND r.name = $2 AND e."offset" > $3 AND e."offset" <= r.head ORDER BY e."offset" LIMIT $4) page
        WHERE before < $5 ORDER BY "offset"
        """;

    private const string EntriesBefore =
        """
        SELECT "offset", data, author, written_at FROM (
            SELECT e."offset", e.data, e.author, e.written_at,
                sum(octet_length(e.data)) OVER (ORDER BY e."offset" DESC) AS through, row_number() OVER (ORDER BY e."offset" DESC) AS number
            FROM collab.entries e JOIN collab.rooms r ON r.id = e.room
            WHERE r.kind = $1 AND r.name = $2 AND e."offset" < $3 AND e."offset" <= r.head ORDER BY e."offset" DESC LIMIT $4) page
        WHERE through <= $5 OR number = 1 ORDER BY "offset"
        """;

    private const string Snapshot =
        """
        SELECT s."offset", s.data FROM collab.snapshots s JOIN collab.rooms r ON r.id = s.room
        WHERE r.kind = $1 AND r.name = $2 AND s."offset" = r.snapshot AND s."offset" > $3
        """;

    private const string Size =
        """
        SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
        WHERE c.relnamespace = 'collab'::regnamespace AND c.relkind IN ('r', 'p')
        """;

    /// <summary>See <see cref="IRoomLog.MeasureAsync"/>.</summary>
    public static async Task<long> MeasureAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Size, connection);
        return (long)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }

    /// <summary>See <see cref="IRoomLog.ReadAsync"/>.</summary>
    /// <exception cref="RoomLogUnavailableException">The rows do not make a whole log: the database is damaged.</exception>
    public static async Task<LogPage> ReadPageAsync(
        NpgsqlConnection connection, byte[] databaseId, RoomKey key, long after, int maxEntries, long maxBytes, CancellationToken cancellationToken)
    {
        await using var batch = AtOneMoment(connection,
            (Room, [(short)key.Kind, key.Name]),
            (Snapshot, [(short)key.Kind, key.Name, after]),
            (EntriesAfter, [(short)key.Kind, key.Name, after, (long)maxEntries, Math.Max(maxBytes, 1)]));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        if (await ReadRoomAsync(reader, cancellationToken).ConfigureAwait(false) is not { } room)
            return new LogPage(LogEpoch.Derive(databaseId, key, 1), 0, null, []);
        await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        LogSnapshot? snapshot = null;
        if (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            snapshot = new LogSnapshot(reader.GetInt64(0), reader.GetFieldValue<byte[]>(1));
        if (snapshot is null && after < room.Snapshot)
            throw Incomplete();
        var entries = await ReadEntriesAsync(reader, cancellationToken).ConfigureAwait(false);
        var start = Math.Max(after, room.Start);
        var isWhole = entries.Count == 0 ? start >= room.Head : entries[0].Offset == start + 1 && IsDense(entries);
        return isWhole
            ? new LogPage(LogEpoch.Derive(databaseId, key, room.Generation), room.Head, snapshot, entries, room.Trimmed)
            : throw Incomplete();
    }

    /// <summary>See <see cref="IRoomLog.ReadBeforeAsync"/>.</summary>
    /// <inheritdoc cref="ReadPageAsync"/>
    public static async Task<LogPage> ReadPageBeforeAsync(
        NpgsqlConnection connection, byte[] databaseId, RoomKey key, long before, int maxEntries, long maxBytes, CancellationToken cancellationToken)
    {
        await using var batch = AtOneMoment(connection,
            (Room, [(short)key.Kind, key.Name]),
            (EntriesBefore, [(short)key.Kind, key.Name, before, (long)maxEntries, maxBytes]));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        if (await ReadRoomAsync(reader, cancellationToken).ConfigureAwait(false) is not { } room)
            return new LogPage(LogEpoch.Derive(databaseId, key, 1), 0, null, []);
        var entries = await ReadEntriesAsync(reader, cancellationToken).ConfigureAwait(false);
        var through = Math.Min(before - 1, room.Head);
        var isWhole = entries.Count == 0 ? through <= room.Start : entries[^1].Offset == through && IsDense(entries);
        return isWhole
            ? new LogPage(LogEpoch.Derive(databaseId, key, room.Generation), room.Head, null, entries, room.Trimmed)
            : throw Incomplete();
    }

    /// <summary>See <see cref="IRoomLog.ReadHeadsAsync"/>.</summary>
    public static async Task<IReadOnlyList<Position>> ReadHeadsAsync(
        NpgsqlConnection connection, byte[] databaseId, IReadOnlyList<RoomKey> rooms, CancellationToken cancellationToken)
    {
        await using var command = Command(
            connection,
            """
            SELECT asked.number, known.generation, known.head
            FROM unnest($1, $2) WITH ORDINALITY AS asked (kind, name, number)
            JOIN collab.rooms known ON known.kind = asked.kind AND known.name = asked.name
            """,
            rooms.Select(room => (short)room.Kind).ToArray(), rooms.Select(room => room.Name).ToArray());
        var heads = new Position?[rooms.Count];
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var i = (int)reader.GetInt64(0) - 1;
            heads[i] = new Position(LogEpoch.Derive(databaseId, rooms[i], reader.GetInt64(1)), reader.GetInt64(2));
        }

        return [.. heads.Select((head, i) => head ?? new Position(LogEpoch.Derive(databaseId, rooms[i], 1), 0))];
    }

    /// <summary>See <see cref="IRoomLog.ListAsync"/>.</summary>
    public static async Task<IReadOnlyList<string>> ListAsync(
        NpgsqlConnection connection, RoomKind kind, string prefix, string? after, int limit, CancellationToken cancellationToken)
    {
        await using var command = Command(
            connection,
            "SELECT name FROM collab.rooms WHERE kind = $1 AND name >= $2 AND name < $3 AND name > $4 AND head > 0 ORDER BY name LIMIT $5",
            (short)kind, prefix, prefix + AfterAllNames, after ?? "", (long)limit);
        var names = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            names.Add(reader.GetString(0));
        return names;
    }

    private static async Task<RoomRow?> ReadRoomAsync(NpgsqlDataReader reader, CancellationToken cancellationToken) =>
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false)
            ? new RoomRow(reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4))
            : null;

    private static async Task<List<LogEntry>> ReadEntriesAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        var entries = new List<LogEntry>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            entries.Add(new LogEntry(
                reader.GetInt64(0),
                reader.GetFieldValue<byte[]>(1),
                reader.IsDBNull(2) ? null : reader.GetString(2),
                DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(3))));
        }

        return entries;
    }

    private static bool IsDense(List<LogEntry> entries) => entries[^1].Offset - entries[0].Offset == entries.Count - 1;

    private static NpgsqlBatch AtOneMoment(NpgsqlConnection connection, params (string Sql, object[] Values)[] queries)
    {
        var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
        foreach (var (sql, values) in queries)
        {
            var command = new NpgsqlBatchCommand(sql);
            foreach (var value in values)
                command.Parameters.Add(new NpgsqlParameter { Value = value });
            batch.BatchCommands.Add(command);
        }

        batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
        return batch;
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params object[] values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }

    /// <summary>A log with a hole must not be taken for a shorter one.</summary>
    private static RoomLogUnavailableException Incomplete() => new("The store is damaged: a room's log is incomplete.");

    private readonly record struct RoomRow(long Generation, long Head, long Snapshot, long Trimmed)
    {
        /// <summary>The offset that the first stored entry follows.</summary>
        public long Start => Math.Max(Snapshot, Trimmed);
    }
}
