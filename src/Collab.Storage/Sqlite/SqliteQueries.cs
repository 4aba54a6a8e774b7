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
        var select = session.Prepare("SELECT id, generation, head, snapshot FROM rooms WHERE kind = ? AND name = ?")
            .Bind(1, (long)key.Kind).Bind(2, key.Name);
        if (!select.Step())
            return new LogPage(LogEpoch.Derive(session.DatabaseId, key, 1), 0, null, []);
        var (room, generation, head, snapshotAt) = (select.Long(0), select.Long(1), select.Long(2), select.Long(3));
        select.Reset();

        var snapshot = after < snapshotAt ? ReadSnapshot(session, room, snapshotAt) : null;
        var entries = ReadEntries(session, room, Math.Max(after, snapshotAt), head, maxEntries, maxBytes, cancellationToken);
        return new LogPage(LogEpoch.Derive(session.DatabaseId, key, generation), head, snapshot, entries);
    }

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
        SqliteSession session, long room, long after, long head, int maxEntries, long maxBytes, CancellationToken cancellationToken)
    {
        var entries = new List<LogEntry>();
        if (after >= head)
            return entries;
        var select = session.Prepare(
                "SELECT key, data, author, written_at FROM entries WHERE key > ? AND key <= ? ORDER BY key LIMIT ?")
            .Bind(1, EntryKey.Of(room, after)).Bind(2, EntryKey.Of(room, head)).Bind(3, maxEntries);
        var bytes = 0L;
        while (select.Step())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var entry = new LogEntry(
                EntryKey.OffsetOf(select.Long(0)), select.Blob(1), select.Text(2), DateTimeOffset.FromUnixTimeMilliseconds(select.Long(3)));
            if (entry.Offset != after + entries.Count + 1)
                throw Incomplete();
            entries.Add(entry);
            bytes += entry.Data.Length;
            if (bytes < maxBytes)
                continue;
            select.Reset();
            return entries;
        }

        return entries.Count == maxEntries || after + entries.Count == head ? entries : throw Incomplete();
    }

    /// <summary>A log with a hole must not be taken for a shorter one.</summary>
    private static RoomLogUnavailableException Incomplete() => new("The store is damaged: a room's log is incomplete.");
}
