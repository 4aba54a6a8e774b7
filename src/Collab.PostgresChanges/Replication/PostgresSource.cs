using System.Globalization;
using Collab.PostgresChanges.Messages;
using Npgsql;
using Npgsql.Replication;
using Npgsql.Replication.Internal;
using Npgsql.Replication.PgOutput;

namespace Collab.PostgresChanges.Replication;

/// <summary>
/// The database whose changes are read: its publication and its slot. Of those who open it one has its turn at a time, by an advisory lock that ends
/// with his connection.
/// </summary>
internal sealed class PostgresSource : IAsyncDisposable
{
    // As ValueWriter expects the texts of values.
    private const string Formats =
        "-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=iso_8601 -c bytea_output=hex -c extra_float_digits=1 -c client_encoding=UTF8";

    private const int MinVersion = 13;

    private readonly PostgresChangesOptions _options;
    private readonly string _quotedPublication;
    private readonly NpgsqlDataSource _connections;
    private NpgsqlConnection? _turn;

    public PostgresSource(PostgresChangesOptions options)
    {
        _options = options;
        _quotedPublication = Quote(options.Publication);
        var settings = new NpgsqlConnectionStringBuilder(options.ConnectionString) { MaxPoolSize = 3, MinPoolSize = 0 };
        settings.ApplicationName ??= "collab";
        _connections = NpgsqlDataSource.Create(settings);
    }

    /// <summary>Connections for whatever else is to be asked.</summary>
    public NpgsqlDataSource Connections => _connections;

    /// <summary>Connects, and looks whether it is this one's turn.</summary>
    public async Task<bool> TryTakeTurnAsync(CancellationToken cancellationToken)
    {
        _turn ??= await _connections.OpenConnectionAsync(cancellationToken);
        return await AskAsync<bool>("SELECT pg_try_advisory_lock(hashtextextended('collab slot ' || $1, 0))", cancellationToken, _options.Slot);
    }

    /// <summary>Checks what the whole server must be set up for.</summary>
    /// <exception cref="ChangesFaultException">It is not.</exception>
    public async Task CheckServerAsync(CancellationToken cancellationToken)
    {
        if (_turn!.PostgreSqlVersion.Major < MinVersion)
            throw new ChangesFaultException($"The database is Postgres {_turn.PostgreSqlVersion.Major}; {MinVersion} or newer is needed.");
        if (await AskAsync<bool>("SELECT pg_is_in_recovery()", cancellationToken))
            throw new ChangesFaultException("The database is a standby. Let Collab:PostgresChanges:ConnectionString name the primary.");
        if (await AskAsync<string>("SELECT current_setting('wal_level')", cancellationToken) != "logical")
            throw new ChangesFaultException("The database does not keep what logical replication needs. Run ALTER SYSTEM SET wal_level = logical; and restart Postgres.");
    }

    /// <summary>Opens the connection over which changes come.</summary>
    /// <exception cref="ChangesFaultException">The user may not.</exception>
    public async Task<LogicalReplicationConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        var settings = new NpgsqlConnectionStringBuilder(_options.ConnectionString) { ReadBufferSize = 64 * 1024 };
        settings.Options = string.IsNullOrEmpty(settings.Options) ? Formats : $"{settings.Options} {Formats}";
        settings.ApplicationName ??= "collab";
        var connection = new LogicalReplicationConnection(settings.ConnectionString);
        try
        {
            await connection.Open(cancellationToken);
            return connection;
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.InsufficientPrivilege)
        {
            await connection.DisposeAsync();
            throw new ChangesFaultException($"The user may not read changes. Run ALTER ROLE {Quote(settings.Username ?? "")} REPLICATION;", exception);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Begins to read the slot.</summary>
    public IAsyncEnumerable<XLogDataMessage> Read(LogicalReplicationConnection connection, CancellationToken cancellationToken) =>
        connection.StartLogicalReplication(
            new PgOutputReplicationSlot(new ReplicationSlotOptions(_options.Slot)),
            cancellationToken,
            options:
            [
                KeyValuePair.Create<string, string?>("proto_version", "1"),
                KeyValuePair.Create<string, string?>("publication_names", _quotedPublication.Replace("'", "''", StringComparison.Ordinal)),
            ]);

    /// <summary>Makes the publication, and adds tables to it, if need be and the user may.</summary>
    /// <exception cref="ChangesFaultException">He may not.</exception>
    public async Task<Published> PublishAsync(IReadOnlyList<FollowedTable> tables, CancellationToken cancellationToken)
    {
        var found = await FindAsync(tables, cancellationToken);
        if (found.Publication == 0)
        {
            await RunOrTellAsync(
                $"CREATE PUBLICATION {_quotedPublication} FOR TABLE {Names(found.Tables)} WITH (publish_via_partition_root = true)",
                found.Tables.Count > 0, cancellationToken);
        }
        else if (found.Tables.Where(table => !table.IsPublished).ToArray() is { Length: > 0 } missing)
        {
            await RunOrTellAsync($"ALTER PUBLICATION {_quotedPublication} ADD TABLE {Names(missing)}", isNeeded: true, cancellationToken);
        }
        else
        {
            return found;
        }

        return await FindAsync(tables, cancellationToken);
    }

    /// <summary>What the catalog has of the publication and the tables now.</summary>
    public async Task<Published> FindAsync(IReadOnlyList<FollowedTable> tables, CancellationToken cancellationToken)
    {
        var publication = await AskAsync<uint?>(
            "SELECT max(oid) FROM (SELECT oid::oid FROM pg_catalog.pg_publication WHERE pubname = $1) publication", cancellationToken, _options.Publication) ?? 0;
        var (found, faults) = (new List<PublishedTable>(), new List<string>());
        foreach (var table in tables)
        {
            if (await FindAsync(table, cancellationToken) is not { } one)
                faults.Add($"the table {table.FullName} does not exist.");
            else if (!one.HasIdentity)
                faults.Add($"the table {table.FullName} has no primary key, so publishing it would make its updates fail. Run ALTER TABLE {Name(table)} REPLICA IDENTITY FULL;");
            else
                found.Add(one);
        }

        return new Published(publication, found, faults);
    }

    private async Task<PublishedTable?> FindAsync(FollowedTable table, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT class.oid::bigint, coalesce(published.oid::bigint, 0),
                EXISTS (SELECT FROM pg_catalog.pg_publication_tables WHERE pubname = $1 AND schemaname = $2 AND tablename = $3),
                class.relreplident IN ('f', 'i') OR class.relreplident = 'd' AND EXISTS (
                    SELECT FROM pg_catalog.pg_index WHERE indrelid = class.oid AND indisprimary)
            FROM pg_catalog.pg_class class JOIN pg_catalog.pg_namespace namespace ON namespace.oid = class.relnamespace
            LEFT JOIN (pg_catalog.pg_publication_rel published JOIN pg_catalog.pg_publication publication
                ON publication.oid = published.prpubid AND publication.pubname = $1) ON published.prrelid = class.oid
            WHERE namespace.nspname = $2 AND class.relname = $3 AND class.relkind IN ('r', 'p') AND class.relpersistence = 'p'
            """,
            _turn)
        { Parameters = { new() { Value = _options.Publication }, new() { Value = table.Schema }, new() { Value = table.Name } } };
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        return await rows.ReadAsync(cancellationToken)
            ? new PublishedTable(table, string.Create(CultureInfo.InvariantCulture, $"{rows.GetInt64(0)}/{rows.GetInt64(1)}"), rows.GetBoolean(2), rows.GetBoolean(3))
            : null;
    }

    /// <summary>What the server says of the slot; null when there is none.</summary>
    /// <exception cref="ChangesFaultException">It is another database's, or another kind of slot.</exception>
    public async Task<Slot?> FindSlotAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT active, coalesce(wal_status, '') = 'lost', coalesce(confirmed_flush_lsn - '0/0', 0)::numeric,
                (pg_current_wal_lsn() - confirmed_flush_lsn)::bigint, (pg_current_wal_lsn() - restart_lsn)::bigint,
                plugin IS NOT DISTINCT FROM 'pgoutput' AND database IS NOT DISTINCT FROM current_database()
            FROM pg_catalog.pg_replication_slots WHERE slot_name = $1
            """,
            _turn)
        { Parameters = { new() { Value = _options.Slot } } };
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        if (!await rows.ReadAsync(cancellationToken))
            return null;
        if (!rows.GetBoolean(5))
            throw new ChangesFaultException($"The slot {_options.Slot} is another database's or another program's. Set Collab:PostgresChanges:Slot to another name.");
        var lag = await rows.IsDBNullAsync(3, cancellationToken) || await rows.IsDBNullAsync(4, cancellationToken)
            ? null
            : new SlotLag(rows.GetInt64(3), rows.GetInt64(4));
        return new Slot(rows.GetBoolean(0), rows.GetBoolean(1), (ulong)rows.GetDecimal(2), lag);
    }

    public Task DropSlotAsync(CancellationToken cancellationToken) =>
        AskAsync<object>("SELECT pg_drop_replication_slot($1)", cancellationToken, _options.Slot);

    /// <summary>Makes the slot.</summary>
    /// <returns>Where it begins: it has all transactions that are committed from there on.</returns>
    /// <exception cref="ChangesFaultException">There are too many already.</exception>
    public async Task<ulong> MakeSlotAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (ulong)await AskAsync<decimal>(
                "SELECT (lsn - '0/0')::numeric FROM pg_create_logical_replication_slot($1, 'pgoutput')", cancellationToken, _options.Slot);
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.ConfigurationLimitExceeded)
        {
            throw new ChangesFaultException("The server has no room for another slot. Run ALTER SYSTEM SET max_replication_slots = 20; and restart Postgres.", exception);
        }
    }

    /// <summary>The turn ends with the connections.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_turn is not null)
            await _turn.DisposeAsync();
        await _connections.DisposeAsync();
    }

    private async Task RunOrTellAsync(string sql, bool isNeeded, CancellationToken cancellationToken)
    {
        if (!isNeeded)
            return;
        try
        {
            await using var command = new NpgsqlCommand(sql, _turn);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new ChangesFaultException($"The user may not publish the tables. Let their owner run {sql};", exception);
        }
    }

    private async Task<T> AskAsync<T>(string sql, CancellationToken cancellationToken, params string[] parameters)
    {
        // To make a slot takes as long as the longest transaction that is open.
        await using var command = new NpgsqlCommand(sql, _turn) { CommandTimeout = 0 };
        foreach (var parameter in parameters)
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        return await command.ExecuteScalarAsync(cancellationToken) is T value ? value : default!;
    }

    private static string Names(IEnumerable<PublishedTable> tables) => string.Join(", ", tables.Select(table => Name(table.Table)));

    private static string Name(FollowedTable table) => $"{Quote(table.Schema)}.{Quote(table.Name)}";

    private static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}

/// <summary>What the catalog has of the publication.</summary>
/// <param name="Publication">Its id; 0 when there is none.</param>
/// <param name="Tables">The tables that can be followed.</param>
/// <param name="Faults">What is wrong with the others.</param>
internal sealed record Published(uint Publication, IReadOnlyList<PublishedTable> Tables, IReadOnlyList<string> Faults)
{
    /// <summary>Whether all that was true of it before is still so.</summary>
    public bool IsSameAs(Published other) =>
        Publication == other.Publication && Tables.SequenceEqual(other.Tables) && Faults.SequenceEqual(other.Faults, StringComparer.Ordinal);
}

/// <summary>A table in the catalog.</summary>
/// <param name="Table">Which.</param>
/// <param name="Ids">Its id, and that of its place in the publication.</param>
/// <param name="IsPublished">Whether the publication has it.</param>
/// <param name="HasIdentity">Whether its rows can be told from each other.</param>
internal sealed record PublishedTable(FollowedTable Table, string Ids, bool IsPublished, bool HasIdentity);

/// <summary>What the server says of the slot.</summary>
/// <param name="IsActive">Somebody reads it.</param>
/// <param name="IsLost">What it needs of the write-ahead log is gone.</param>
/// <param name="Confirmed">Transactions that were committed before this it does not deliver again.</param>
/// <param name="Lag">How far behind it is.</param>
internal sealed record Slot(bool IsActive, bool IsLost, ulong Confirmed, SlotLag? Lag);
