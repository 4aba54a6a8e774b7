using Collab.Protocol;
using Collab.Server.Rooms;

namespace Collab.Storage.Sqlite;

/// <summary>What is read from the database file. Each is called in a transaction of its own.</summary>
internal static class SqliteQueries
{
    /// <summary>Sorts after every character that a room's name can have (see <see cref="Collab.Protocol.RoomName"/>).</summary>
    private const char AfterAllNames = '\u007f';

    /// <summary>See <see cref="IRoomLog.ReadAsync"/>.</summary>
    /// <exception cref="RoomLogUnavailableException">The rows do not make a whole log: the file is damaged.</exception>
    public static LogPage ReadPage(
        SqliteSession session, RoomKey key, long after, int maxEntries, long maxBytes, CancellationToken cancellationToken)
    {
        if (FindRoom(session, key) is not { } room)
            return Empty(session, key);
        var snapshot = after < room.Snapshot ? ReadSnapshot(session, room.Id, room.Snapshot) : null;
        var entries = ReadEntries(session, room, Math.Max(after, room.Start), maxEntries, maxBytes, cancellationToken);
        return new LogPage(LogEpoch.Derive(session.DatabaseId, key, room.Generation), room.Head, snapshot, entries, room.Trimmed);
    }

    /// <summary>See <see cref="IRoomLog.ReadBeforeAsync"/>.</summary>
    /// <inheritdoc cref="ReadPage"/>
    public static LogPage ReadPageBefore(
        SqliteSession session, RoomKey key, long before, int maxEntries, long maxBytes, CancellationToken cancellationToken)
    {
        if (FindRoom(session, key) is not { } room)
            return Empty(session, key);
        var entries = ReadEntriesBackwards(
            session, room, Math.Min(before - 1, room.Head), maxEntries, maxBytes, cancellationToken);
        return new LogPage(LogEpoch.Derive(session.DatabaseId, key, room.Generation), room.Head, null, entries, room.Trimmed);
    }

    /// <summary>See <see cref="IRoomLog.ReadHeadsAsync"/>.</summary>
    public static IReadOnlyList<Position> ReadHeads(SqliteSession session, IReadOnlyList<RoomKey> rooms)
    {
        var heads = new Position[rooms.Count];
        for (var i = 0; i < heads.Length; i++)
        {
            var room = FindRoom(session, rooms[i]);
            heads[i] = new Position(LogEpoch.Derive(session.DatabaseId, rooms[i], room?.Generation ?? 1), room?.Head ?? 0);
        }

        return heads;
    }

    /// <summary>See <see cref="IRoomLog.MeasureAsync"/>.</summary>
    public static long Measure(SqliteSession session) =>
        session.Prepare("SELECT (page_count - freelist_count) * page_size FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()").RunForNumber() ?? 0;

    /// <summary>See <see cref="IRoomLog.ListAsync"/>.</summary>
    public static IReadOnlyList<string> List(SqliteSession session, RoomKind kind, string prefix, string? after, int limit)
    {
        // The names that start so are those from the prefix up to what follows them all; LIKE would read % and _ as wildcards.
        var select = session.Prepare(
                "SELECT name FROM rooms WHERE kind = ? AND name >= ? AND name < ? AND name > ? AND head > 0 ORDER BY name LIMIT ?")
            .Bind(1, (long)kind).Bind(2, prefix).Bind(3, prefix + AfterAllNames).Bind(4, after ?? "").Bind(5, limit);
        var names = new List<string>();
        while (select.Step())
            names.Add(select.Text(0)!);
        return names;
    }

    private static LogPage Empty(SqliteSession session, RoomKey key) => new(LogEpoch.Derive(session.DatabaseId, key, 1), 0, null, []);

    private static Room? FindRoom(SqliteSession session, RoomKey key)
    {
        var select = session.Prepare("SELECT id, generation, head, snapshot, trimmed FROM rooms WHERE kind = ? AND name = ?")
            .Bind(1, (long)key.Kind).Bind(2, key.Name);
        if (!select.Step())
            return null;
        var room = new Room(select.Long(0), select.Long(1), select.Long(2), select.Long(3), select.Long(4));
        select.Reset();
        return room;
    }

    private static LogSnapshot ReadSnapshot(SqliteSession session, long room, long offset)
    {
        var select = session.Prepare("SELECT data FROM snapshots WHERE room = ? AND offset = ?").Bind(1, room).Bind(2, offset);
        if (!select.Step())
            throw Incomplete();
        var snapshot = new LogSnapshot(offset, select.Blob(0));
        select.Reset();
        return snapshot;
    }

    private static List<LogEntry> ReadEntries(
        SqliteSession session, Room room, long after, int maxEntries, long maxBytes, CancellationToken cancellationToken)
    {
        var entries = new List<LogEntry>();
        if (after >= room.Head)
            return entries;
        var select = session.Prepare(
                "SELECT key, data, author, written_at FROM entries WHERE key > ? AND key <= ? ORDER BY key LIMIT ?")
            .Bind(1, EntryKey.Of(room.Id, after)).Bind(2, EntryKey.Of(room.Id, room.Head)).Bind(3, maxEntries);
        var bytes = 0L;
        while (select.Step())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var entry = ReadEntry(select);
            if (entry.Offset != after + entries.Count + 1)
                throw Incomplete();
            entries.Add(entry);
            bytes += entry.Data.Length;
            if (bytes < maxBytes)
                continue;
            select.Reset();
            return entries;
        }

        return entries.Count == maxEntries || after + entries.Count == room.Head ? entries : throw Incomplete();
    }

    private static List<LogEntry> ReadEntriesBackwards(
        SqliteSession session, Room room, long through, int maxEntries, long maxBytes, CancellationToken cancellationToken)
    {
        var entries = new List<LogEntry>();
        if (through <= room.Start)
            return entries;
        var select = session.Prepare(
                "SELECT key, data, author, written_at FROM entries WHERE key > ? AND key <= ? ORDER BY key DESC LIMIT ?")
            .Bind(1, EntryKey.Of(room.Id, room.Start)).Bind(2, EntryKey.Of(room.Id, through)).Bind(3, maxEntries);
        var bytes = 0L;
        while (select.Step())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var entry = ReadEntry(select);
            if (entry.Offset != through - entries.Count)
                throw Incomplete();
            bytes += entry.Data.Length;
            if (bytes > maxBytes && entries.Count > 0)
            {
                select.Reset();
                entries.Reverse();
                return entries;
            }

            entries.Add(entry);
        }

        if (entries.Count < maxEntries && through - entries.Count != room.Start)
            throw Incomplete();
        entries.Reverse();
        return entries;
    }

    private static LogEntry ReadEntry(SqliteStatement row) => new(
        EntryKey.OffsetOf(row.Long(0)), row.Blob(1), row.Text(2), DateTimeOffset.FromUnixTimeMilliseconds(row.Long(3)));

    /// <summary>A log with a hole must not be taken for a shorter one.</summary>
    private static RoomLogUnavailableException Incomplete() => new("The store is damaged: a room's log is incomplete.");

    private readonly record struct Room(long Id, long Generation, long Head, long Snapshot, long Trimmed)
    {
        /// <summary>The offset that the first stored entry follows.</summary>
        public long Start => Math.Max(Snapshot, Trimmed);
    }
}
