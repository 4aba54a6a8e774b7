namespace Collab.Storage.Sqlite;

/// <summary>The keys of appends (<see cref="Collab.Server.Rooms.AppendKey"/>), written in the transaction of their entries.</summary>
internal static class SqliteKeys
{
    /// <summary>A transaction that adds keys takes away so many expired ones for each, so there are never many more than live.</summary>
    public const int SweptForEach = 2;

    /// <summary>The offset of the entry that has the key; null when the room has not seen it within its window.</summary>
    public static long? Find(SqliteSession session, long room, string key, long now) =>
        session.Prepare("SELECT offset FROM keys WHERE room = ? AND key = ? AND expires_at > ?")
            .Bind(1, room).Bind(2, key).Bind(3, now).RunForNumber();

    public static void Add(SqliteSession session, long room, string key, long offset, long expiresAt) =>
        session.Prepare("INSERT OR REPLACE INTO keys (room, key, offset, expires_at) VALUES (?, ?, ?, ?)")
            .Bind(1, room).Bind(2, key).Bind(3, offset).Bind(4, expiresAt).Run();

    /// <summary>Takes away keys that have expired, the oldest first.</summary>
    public static void Sweep(SqliteSession session, long now, int limit) =>
        session.Prepare(
                "DELETE FROM keys WHERE (room, key) IN (SELECT room, key FROM keys WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)")
            .Bind(1, now).Bind(2, limit).Run();

    /// <summary>Takes away all keys of a room.</summary>
    public static void Forget(SqliteSession session, long room) =>
        session.Prepare("DELETE FROM keys WHERE room = ?").Bind(1, room).Run();
}
