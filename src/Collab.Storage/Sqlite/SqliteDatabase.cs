using System.Globalization;
using Collab.Server.Rooms;
using Microsoft.Data.Sqlite;

namespace Collab.Storage.Sqlite;

/// <summary>
/// The database file: where it is, how it comes to be, and how it is opened. A file that was there once and is not, or is damaged, is
/// never replaced by an empty one.
/// </summary>
internal sealed class SqliteDatabase(SqliteRoomLogOptions options)
{
    public const string FileName = "collab.db";

    private readonly Lock _creating = new();
    private volatile bool _wasThere;

    public string WriteAheadLog => Path + "-wal";

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetFullPath(options.DataDirectory), FileName);

    /// <summary>How long a connection of this database waits for locks.</summary>
    public TimeSpan BusyTimeout => options.BusyTimeout;

    /// <summary>Opens a connection for the writer.</summary>
    /// <exception cref="RoomLogUnavailableException">The file is missing, damaged, of a newer program, or not ours.</exception>
    /// <exception cref="SqliteException">It cannot be opened.</exception>
    public SqliteSession OpenForWriting()
    {
        var session = Open();
        try
        {
            // FULL: a commit returns when the log is on the disk. The checkpoint then runs every 1000 pages (4 MB) of log.
            session.Run("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000; PRAGMA cache_size = -4000;");
            session.Run(string.Create(CultureInfo.InvariantCulture, $"PRAGMA max_page_count = {options.MaxPages}"));
            session.LimitRow(options.MaxRowBytes);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Opens a connection that cannot write. Throws as <see cref="OpenForWriting"/>.</summary>
    public SqliteSession OpenForReading()
    {
        var session = Open();
        try
        {
            session.Run("PRAGMA query_only = ON");
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    private SqliteSession Open()
    {
        lock (_creating)
            CreateWhenMissing();
        // SQLite takes a file without a byte for a new database. Ours is never so (see Create): it was cut off.
        if (new FileInfo(Path).Length == 0)
            throw new RoomLogUnavailableException("The store is damaged: its file is empty.");
        var session = new SqliteSession(Path, create: false, options.BusyTimeout);
        try
        {
            // One after the other: SQLite does not wait for locks when a file changes to another journal mode.
            lock (_creating)
                Prepare(session);
            _wasThere = true;
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    private static void Prepare(SqliteSession session)
    {
        SqliteSchema.Bring(session);
        session.Run("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;");
        if (session.Text("PRAGMA journal_mode = WAL") != "wal")
            throw new RoomLogUnavailableException("The store's file system does not support SQLite's write-ahead log.");
    }

    private void CreateWhenMissing()
    {
        if (File.Exists(Path))
            return;
        if (_wasThere)
            throw new RoomLogUnavailableException("The store's file is gone.");
        if (File.Exists(WriteAheadLog))
            throw new RoomLogUnavailableException("The store's file is gone; only its write-ahead log (collab.db-wal) is left.");
        Create();
    }

    /// <summary>Makes the database under another name first, so that a file with its own name is always a whole one.</summary>
    private void Create()
    {
        var draft = string.Create(CultureInfo.InvariantCulture, $"{Path}.{Guid.NewGuid():n}");
        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
            using (var session = new SqliteSession(draft, create: true, options.BusyTimeout))
                SqliteSchema.Create(session);
            File.Move(draft, Path, overwrite: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another process may have been faster; then its file is as good.
            if (!File.Exists(Path))
                throw new RoomLogUnavailableException("The store cannot be created.", e);
        }
        finally
        {
            foreach (var leftover in (string[])[draft, draft + "-wal", draft + "-shm", draft + "-journal"])
                DeleteIfPossible(leftover);
        }
    }

    private static void DeleteIfPossible(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A leftover draft harms nobody.
        }
    }
}
