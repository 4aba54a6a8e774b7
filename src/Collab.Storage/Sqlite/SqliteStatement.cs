using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Collab.Storage.Sqlite;

/// <summary>
/// A prepared statement, kept and used again for each row. Bind, step, reset: a statement that is not reset holds its read
/// transaction open.
/// </summary>
/// <remarks>
/// Straight on SQLite's C interface: parameters and readers of Microsoft.Data.Sqlite cost more than the rows that the writer inserts.
/// </remarks>
internal sealed class SqliteStatement(SqliteSession session, sqlite3_stmt statement) : IDisposable
{
    public SqliteStatement Bind(int parameter, long value)
    {
        session.Check(raw.sqlite3_bind_int64(statement, parameter, value));
        return this;
    }

    public SqliteStatement Bind(int parameter, string? value)
    {
        session.Check(value is null
            ? raw.sqlite3_bind_null(statement, parameter)
            : raw.sqlite3_bind_text(statement, parameter, value));
        return this;
    }

    public SqliteStatement Bind(int parameter, ReadOnlySpan<byte> value)
    {
        session.Check(value.IsEmpty
            ? raw.sqlite3_bind_zeroblob(statement, parameter, 0)
            : raw.sqlite3_bind_blob(statement, parameter, value));
        return this;
    }

    /// <summary>Goes to the next row.</summary>
    /// <returns>False when there is none; the statement is then reset.</returns>
    /// <exception cref="SqliteException">It failed; the statement is reset.</exception>
    public bool Step()
    {
        var code = raw.sqlite3_step(statement);
        if (code == raw.SQLITE_ROW)
            return true;
        var failure = code == raw.SQLITE_DONE ? null : session.Failure();
        Reset();
        return failure is null ? false : throw failure;
    }

    /// <summary>Runs a statement of which no row is wanted.</summary>
    public void Run()
    {
        Step();
        Reset();
    }

    /// <summary>Runs a statement of which one number is wanted; null when there is no row.</summary>
    public long? RunForNumber()
    {
        var number = Step() ? Long(0) : (long?)null;
        Reset();
        return number;
    }

    public void Reset() => raw.sqlite3_reset(statement);

    public long Long(int column) => raw.sqlite3_column_int64(statement, column);

    public string? Text(int column) =>
        raw.sqlite3_column_type(statement, column) == raw.SQLITE_NULL
            ? null
            : raw.sqlite3_column_text(statement, column).utf8_to_string();

    public byte[] Blob(int column) => raw.sqlite3_column_blob(statement, column).ToArray();

    public void Dispose() => statement.Dispose();
}
