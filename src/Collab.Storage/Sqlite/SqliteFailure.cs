using Collab.Server.Rooms;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Collab.Storage.Sqlite;

/// <summary>What SQLite's result codes (sqlite.org/rescode.html) mean for a store.</summary>
internal static class SqliteFailure
{
    /// <summary>
    /// Whether a single write may be to blame, so that others could succeed. A full disk counts: a smaller entry may still fit.
    /// </summary>
    public static bool MayBeOfOneWrite(SqliteException failure) => failure.SqliteErrorCode is
        raw.SQLITE_TOOBIG or raw.SQLITE_CONSTRAINT or raw.SQLITE_MISMATCH or raw.SQLITE_RANGE or raw.SQLITE_NOMEM or raw.SQLITE_FULL;

    /// <summary>Whether the connection is still good afterwards. If in doubt it is not.</summary>
    public static bool LeavesConnectionGood(SqliteException failure) => MayBeOfOneWrite(failure) || failure.SqliteErrorCode is
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED;

    public static RoomLogUnavailableException ToUnavailable(SqliteException failure) => new(
        failure.SqliteErrorCode switch
        {
            raw.SQLITE_FULL => "The store's disk is full.",
            raw.SQLITE_BUSY or raw.SQLITE_LOCKED or raw.SQLITE_PROTOCOL => "The store is locked by another process.",
            raw.SQLITE_READONLY or raw.SQLITE_PERM or raw.SQLITE_AUTH => "The store is read-only.",
            raw.SQLITE_IOERR => "The store's disk cannot be read or written.",
            raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => "The store is damaged.",
            raw.SQLITE_CANTOPEN => "The store cannot be opened.",
            raw.SQLITE_TOOBIG => "The entry is too large to be stored.",
            _ => "The store failed.",
        },
        failure);
}
