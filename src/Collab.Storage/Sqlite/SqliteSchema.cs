using System.Globalization;
using Collab.Server.Rooms;

namespace Collab.Storage.Sqlite;

/// <summary>The tables of the database file, and how files of older versions become files of this one. See docs/storage.md.</summary>
internal static class SqliteSchema
{
    /// <summary>Step n makes version n + 1 out of version n; the first makes an empty file a database.</summary>
    private static readonly string[] Steps =
    [
        """
        CREATE TABLE meta (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            schema_version INTEGER NOT NULL,
            database_id BLOB NOT NULL
        ) STRICT;
        CREATE TABLE rooms (
            id INTEGER PRIMARY KEY,
            kind INTEGER NOT NULL,
            name TEXT NOT NULL,
            generation INTEGER NOT NULL,
            head INTEGER NOT NULL,
            snapshot INTEGER NOT NULL,
            UNIQUE (kind, name)
        ) STRICT;
        CREATE TABLE entries (
            key INTEGER PRIMARY KEY,
            data BLOB NOT NULL,
            author TEXT,
            written_at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE snapshots (
            room INTEGER PRIMARY KEY,
            offset INTEGER NOT NULL,
            data BLOB NOT NULL
        ) STRICT;
        INSERT INTO meta VALUES (1, 1, randomblob(16));
        """,
        // Channels: logs that are trimmed, by count and bytes among others, and keys of appends.
        """
        ALTER TABLE rooms ADD COLUMN trimmed INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE rooms ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
        UPDATE rooms SET bytes = (
            SELECT coalesce(sum(length(data)), 0) FROM entries WHERE key BETWEEN rooms.id << 36 AND (rooms.id + 1 << 36) - 1);
        CREATE TABLE keys (
            room INTEGER NOT NULL,
            key TEXT NOT NULL,
            offset INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            PRIMARY KEY (room, key)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX keys_by_expiry ON keys (expires_at);
        """,
    ];

    /// <summary>The version that this code reads and writes.</summary>
    public static int Version => Steps.Length;

    /// <summary>Makes an empty file a database.</summary>
    public static void Create(SqliteSession session)
    {
        // Only before the first table can it be said that freed pages are to be given back.
        session.Run("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
        Migrate(session, from: 0);
    }

    /// <summary>Checks that the file is a database of this or an older version, brings it to this one, and reads its id.</summary>
    /// <exception cref="RoomLogUnavailableException">It is something else, or newer.</exception>
    public static void Bring(SqliteSession session)
    {
        if (session.Text("SELECT count(*) FROM sqlite_schema WHERE name = 'meta'") != "1")
            throw new RoomLogUnavailableException("The store's file is not a Collab database.");
        var version = ReadVersion(session);
        if (version > Version)
        {
            throw new RoomLogUnavailableException(string.Create(
                CultureInfo.InvariantCulture,
                $"The store has schema version {version}; this program knows versions up to {Version}. Use a newer program."));
        }

        if (version < Version)
            Migrate(session, version);
        var statement = session.Prepare("SELECT database_id FROM meta");
        statement.Step();
        session.DatabaseId = statement.Blob(0);
        statement.Reset();
    }

    private static void Migrate(SqliteSession session, int from)
    {
        session.Run("BEGIN IMMEDIATE");
        try
        {
            // Another process may have done it while this one waited for the lock.
            if (from > 0)
                from = ReadVersion(session);
            foreach (var step in Steps.AsSpan(Math.Min(from, Version)))
                session.Run(step);
            session.Run(string.Create(CultureInfo.InvariantCulture, $"UPDATE meta SET schema_version = max(schema_version, {Version})"));
            session.Run("COMMIT");
        }
        catch
        {
            session.Rollback();
            throw;
        }
    }

    private static int ReadVersion(SqliteSession session) =>
        int.Parse(session.Text("SELECT schema_version FROM meta") ?? "0", CultureInfo.InvariantCulture);
}
