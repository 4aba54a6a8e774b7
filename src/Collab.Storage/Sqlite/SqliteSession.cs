using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Collab.Storage.Sqlite;

/// <summary>One connection to the database file, used by one thread at a time.</summary>
internal sealed partial class SqliteSession : IDisposable
{
    /// <summary>Asks whether the file is still the one at its path (sqlite.org/c3ref/c_fcntl_begin_atomic_write.html).</summary>
    private const int FcntlHasMoved = 20;

    private readonly sqlite3 _db;
    private readonly Dictionary<string, SqliteStatement> _statements = new(StringComparer.Ordinal);

    static SqliteSession() => Batteries_V2.Init();

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file's path.</param>
    /// <param name="create">Whether it may be created; else it must be there.</param>
    /// <param name="busyTimeout">How long a statement waits for a lock that another connection holds.</param>
    /// <exception cref="SqliteException">It cannot be opened.</exception>
    public SqliteSession(string path, bool create, TimeSpan busyTimeout)
    {
        var flags = raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_NOMUTEX | (create ? raw.SQLITE_OPEN_CREATE : 0);
        var code = raw.sqlite3_open_v2(path, out _db, flags, null);
        if (code != raw.SQLITE_OK)
        {
            var failure = new SqliteException("The file cannot be opened.", code & 0xff, code);
            _db.Dispose();
            throw failure;
        }

        raw.sqlite3_extended_result_codes(_db, 1);
        WaitForLocks(busyTimeout);
    }

    /// <summary>The random bytes that name the database; set by <see cref="SqliteSchema"/>.</summary>
    public byte[] DatabaseId { get; set; } = [];

    /// <summary>The statement of this text, prepared once.</summary>
    public SqliteStatement Prepare(string sql)
    {
        if (_statements.TryGetValue(sql, out var known))
            return known;
        Check(raw.sqlite3_prepare_v3(_db, sql, raw.SQLITE_PREPARE_PERSISTENT, out var prepared));
        return _statements[sql] = new SqliteStatement(this, prepared);
    }

    /// <summary>Runs one or more statements, of which no row is wanted.</summary>
    public void Run(string sql) => Check(raw.sqlite3_exec(_db, sql));

    /// <summary>The first column of the first row, as text.</summary>
    public string? Text(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_db, sql, out var prepared));
        using var statement = new SqliteStatement(this, prepared);
        return statement.Step() ? statement.Text(0) : null;
    }

    /// <summary>Ends a transaction that failed; does nothing when SQLite has ended it by itself.</summary>
    public void Rollback()
    {
        if (raw.sqlite3_get_autocommit(_db) == 0)
            raw.sqlite3_exec(_db, "ROLLBACK");
    }

    /// <summary>The id of the row inserted last.</summary>
    public long LastInsertedRow => raw.sqlite3_last_insert_rowid(_db);

    /// <summary>How long a statement waits for a lock that another connection holds.</summary>
    public void WaitForLocks(TimeSpan time) => raw.sqlite3_busy_timeout(_db, (int)time.TotalMilliseconds);

    /// <summary>Refuses blobs and rows that are larger.</summary>
    public void LimitRow(int bytes) => raw.sqlite3_limit(_db, raw.SQLITE_LIMIT_LENGTH, bytes);

    /// <summary>
    /// Whether the file was deleted, renamed or replaced under the connection. SQLite itself would go on writing into a file which
    /// nobody can open again.
    /// </summary>
    public bool HasMoved()
    {
        var moved = 0;
        var code = FileControl(_db.DangerousGetHandle(), null, FcntlHasMoved, ref moved);
        GC.KeepAlive(_db);
        return code != raw.SQLITE_OK || moved != 0;
    }

    /// <summary>Throws what the last call failed with.</summary>
    public void Check(int code)
    {
        if (code != raw.SQLITE_OK)
            throw Failure();
    }

    public SqliteException Failure()
    {
        var code = raw.sqlite3_extended_errcode(_db);
        return new SqliteException(raw.sqlite3_errmsg(_db).utf8_to_string(), code & 0xff, code);
    }

    public void Dispose()
    {
        foreach (var statement in _statements.Values)
            statement.Dispose();
        _db.Dispose();
    }

    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_file_control", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int FileControl(IntPtr db, string? schema, int operation, ref int argument);
}
