using System.Data;
using Collab.Server.Rooms;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Collab.PostgresChanges.RowSecurity;

/// <summary>
/// Asks the database which rows somebody sees, in his role and with his claims: so it is the database, by its own policies, that decides. Every
/// question is a transaction that only reads.
/// </summary>
internal sealed class VisibleRows : IAsyncDisposable
{
    // The class of errors of PostgreSQL's documentation, Appendix A, that are about values.
    private const string DataException = "22";
    private const int QuietMilliseconds = 10_000;

    private const string ShapeOfTable = """
        SELECT a.attname, format_type(a.atttypid, NULL), coalesce(a.attnum = ANY (i.indkey::int2[]), false),
               has_schema_privilege(n.oid, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT'), row_security_active(c.oid)
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
        WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')
        ORDER BY a.attnum
        """;

    private readonly RowSecurityOptions _options;
    private readonly ILogger _logger;
    private readonly Lazy<NpgsqlDataSource> _connections;
    private long _lastNote = -QuietMilliseconds;

    public VisibleRows(IOptions<RowSecurityOptions> options, ILogger<VisibleRows> logger)
    {
        (_options, _logger) = (options.Value, logger);
        _connections = new Lazy<NpgsqlDataSource>(() =>
        {
            var settings = new NpgsqlConnectionStringBuilder(_options.ConnectionString)
            {
                MaxPoolSize = _options.MaxConnections,
                MinPoolSize = 0,
                // The next one must not find what this one has set.
                NoResetOnClose = false,
                Timeout = Seconds,
                CommandTimeout = Seconds,
            };
            settings.ApplicationName ??= "collab";
            return NpgsqlDataSource.Create(settings);
        });
    }

    private int Seconds => (_options.TimeoutMilliseconds + 999) / 1000;

    /// <summary>What a table is to somebody.</summary>
    /// <exception cref="RoomLogUnavailableException">The database cannot be asked now.</exception>
    public Task<TableShape> LookAtAsync(RowReader reader, TableName table, CancellationToken cancellationToken) =>
        AskAsync(reader, table, (_, shape) => Task.FromResult(shape), cancellationToken);

    /// <summary>Which rows of a table somebody sees.</summary>
    /// <param name="reader">Who.</param>
    /// <param name="table">The table.</param>
    /// <param name="keysOf">The keys of the rows, by the table as it is now: for each row, what its columns of the key have as text.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The table, and the indices of those keys whose rows he sees.</returns>
    /// <exception cref="RoomLogUnavailableException">The database cannot be asked now.</exception>
    public Task<(TableShape Shape, HashSet<int> Seen)> FindAsync(
        RowReader reader, TableName table, Func<TableShape, IReadOnlyList<string?[]>> keysOf, CancellationToken cancellationToken) =>
        AskAsync(reader, table, async (connection, shape) =>
        {
            if (shape.FaultFor(table, reader.Role) is { } fault)
            {
                RowSecurityLog.NothingSeen(_logger, $"{table}", fault);
                return (shape, []);
            }

            var keys = keysOf(shape);
            var rows = Enumerable.Range(0, keys.Count).Where(i => Array.TrueForAll(keys[i], static text => text is not null)).ToArray();
            var seen = new HashSet<int>();
            await FindAsync(new Search(connection, table, shape, keys, seen), rows, cancellationToken);
            return (shape, seen);
        }, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_connections.IsValueCreated)
            await _connections.Value.DisposeAsync();
    }

    /// <summary>Asks something as somebody.</summary>
    private async Task<T> AskAsync<T>(
        RowReader reader, TableName table, Func<NpgsqlConnection, TableShape, Task<T>> ask, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await _connections.Value.OpenConnectionAsync(cancellationToken);
            // Rolled back in any case: nothing was written.
            await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);
            return await ask(connection, await BeginAsync(connection, reader, table, cancellationToken));
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException)
        {
            NoteCannotAsk(exception.Message);
            throw new RoomLogUnavailableException("The database cannot say now which rows a reader sees.", exception);
        }
    }

    // All readers of a table meet it at once, again and again.
    private void NoteCannotAsk(string reason)
    {
        var last = Interlocked.Read(ref _lastNote);
        var now = Environment.TickCount64;
        if (now - last >= QuietMilliseconds && Interlocked.CompareExchange(ref _lastNote, now, last) == last)
            RowSecurityLog.CannotAsk(_logger, reason);
    }

    /// <summary>Becomes the reader, and looks at the table.</summary>
    private async Task<TableShape> BeginAsync(NpgsqlConnection connection, RowReader reader, TableName table, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("SET TRANSACTION READ ONLY"),
                new NpgsqlBatchCommand($"SET LOCAL statement_timeout = {_options.TimeoutMilliseconds}"),
                new NpgsqlBatchCommand($"SET LOCAL ROLE {TableName.Quote(reader.Role)}"),
                new NpgsqlBatchCommand("SELECT set_config($1, $2, true)") { Parameters = { new() { Value = _options.ClaimsSetting }, new() { Value = reader.Claims } } },
                new NpgsqlBatchCommand(ShapeOfTable) { Parameters = { new() { Value = table.Schema }, new() { Value = table.Table } } },
            },
        };
        await using var rows = await BecomeAsync(batch, reader.Role, cancellationToken);
        await rows.NextResultAsync(cancellationToken);
        var columns = new List<TableColumn>();
        var isChecked = false;
        while (await rows.ReadAsync(cancellationToken))
        {
            columns.Add(new TableColumn(rows.GetString(0), rows.GetString(1), rows.GetBoolean(2), rows.GetBoolean(3)));
            isChecked = rows.GetBoolean(4);
        }

        return new TableShape(isChecked, columns);
    }

    private async Task<NpgsqlDataReader> BecomeAsync(NpgsqlBatch batch, string role, CancellationToken cancellationToken)
    {
        try
        {
            return await batch.ExecuteReaderAsync(cancellationToken);
        }
        // There is no such role, or this user is no member of it.
        catch (PostgresException exception)
            when (exception.SqlState is PostgresErrorCodes.InvalidParameterValue or PostgresErrorCodes.InsufficientPrivilege)
        {
            var user = new NpgsqlConnectionStringBuilder(_options.ConnectionString).Username ?? "";
            NoteCannotAsk($"{exception.MessageText}; the role must be there, and who asks a member of it: run GRANT {TableName.Quote(role)} TO {TableName.Quote(user)}");
            throw new RoomLogUnavailableException("The database cannot say now which rows a reader sees.", exception);
        }
    }

    private async Task FindAsync(Search search, ArraySegment<int> rows, CancellationToken cancellationToken)
    {
        if (rows.Count == 0)
            return;
        try
        {
            await using var batch = new NpgsqlBatch(search.Connection) { BatchCommands = { new NpgsqlBatchCommand("SAVEPOINT keys"), search.Command(rows) } };
            await using var found = await batch.ExecuteReaderAsync(cancellationToken);
            while (await found.ReadAsync(cancellationToken))
                search.Seen.Add(rows[(int)found.GetInt64(0) - 1]);
        }
        // A key is not of the type that the column has now: the others are asked about without it.
        catch (PostgresException exception) when (exception.SqlState.StartsWith(DataException, StringComparison.Ordinal))
        {
            await using var back = new NpgsqlCommand("ROLLBACK TO SAVEPOINT keys", search.Connection);
            await back.ExecuteNonQueryAsync(cancellationToken);
            if (rows.Count == 1)
            {
                RowSecurityLog.KeyUnfit(_logger, $"{search.Table}", exception);
                return;
            }

            await FindAsync(search, rows[..(rows.Count / 2)], cancellationToken);
            await FindAsync(search, rows[(rows.Count / 2)..], cancellationToken);
        }
    }

    /// <summary>A search for rows by their keys.</summary>
    private sealed record Search(NpgsqlConnection Connection, TableName Table, TableShape Shape, IReadOnlyList<string?[]> Keys, HashSet<int> Seen)
    {
        /// <summary>The names come from the catalog, and are quoted; the keys are parameters.</summary>
        public NpgsqlBatchCommand Command(ArraySegment<int> rows)
        {
            var key = Shape.Key;
            var parameters = string.Join(", ", key.Select((_, i) => $"${i + 1}"));
            var names = string.Join(", ", key.Select((_, i) => $"c{i}"));
            var same = string.Join(" AND ", key.Select((column, i) => $"t.{TableName.Quote(column.Name)} = {column.FromText($"k.c{i}")}"));
            var command = new NpgsqlBatchCommand(
                $"SELECT k.n FROM unnest({parameters}) WITH ORDINALITY AS k({names}, n) WHERE EXISTS (SELECT 1 FROM {Table.Quoted} t WHERE {same})");
            for (var i = 0; i < key.Count; i++)
            {
                var column = i;
                command.Parameters.Add(new NpgsqlParameter
                {
                    Value = rows.Select(row => Keys[row][column]).ToArray(),
                    NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
                });
            }

            return command;
        }
    }
}
