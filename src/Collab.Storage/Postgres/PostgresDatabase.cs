using Npgsql;

namespace Collab.Storage.Postgres;

/// <summary>The connections to the database, and its id. The tables are made by whoever connects first.</summary>
internal sealed class PostgresDatabase : IAsyncDisposable
{
    // A connection whose client is gone must not hold the locks of its transaction.
    private const string SessionSettings = "-c lock_timeout=5s -c idle_in_transaction_session_timeout=10s -c synchronous_commit=on";

    // Postgres lets in a hundred by default, and those of all nodes count together. Who reads when all are in use waits for one.
    private const int MaxConnections = 20;
    private const string MaxConnectionsKey = "Maximum Pool Size";

    private readonly NpgsqlDataSource _source;
    private volatile byte[]? _id;

    public PostgresDatabase(PostgresRoomLogOptions options)
    {
        var connection = new NpgsqlConnectionStringBuilder(options.ConnectionString) { NoResetOnClose = false };
        connection.Options = string.IsNullOrEmpty(connection.Options) ? SessionSettings : $"{connection.Options} {SessionSettings}";
        connection.ApplicationName ??= "collab";
        if (!connection.ShouldSerialize(MaxConnectionsKey))
            connection.MaxPoolSize = MaxConnections;
        _source = NpgsqlDataSource.Create(connection);
        Where = $"the database {connection.Database ?? connection.Username} of Postgres at {connection.Host}";
    }

    /// <summary>Where the data are, for the operator.</summary>
    public string Where { get; }

    /// <summary>Opens a connection.</summary>
    /// <returns>It, and the random bytes of the database by which epochs are derived.</returns>
    public async ValueTask<(NpgsqlConnection Connection, byte[] Id)> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var id = _id ?? await PostgresSchema.BringAsync(connection, cancellationToken).ConfigureAwait(false);
            _id = id;
            return (connection, id);
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The database was away, and may be another one when it comes back.</summary>
    public void Forget() => _id = null;

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
