using Collab.Server.Rooms;
using Npgsql;

namespace Collab.Storage.Postgres;

/// <summary>The connections to the database, and its id. The tables are made by whoever connects first.</summary>
internal sealed class PostgresDatabase : IAsyncDisposable
{
    // A connection whose client is gone must not hold the locks of its transaction.
    private const string SessionSettings = "-c lock_timeout=5s -c idle_in_transaction_session_timeout=10s -c synchronous_commit=on";

    private readonly NpgsqlDataSource _source;
    private volatile byte[]? _id;

    public PostgresDatabase(PostgresRoomLogOptions options)
    {
        var connection = new NpgsqlConnectionStringBuilder(options.ConnectionString) { NoResetOnClose = false };
        connection.Options = string.IsNullOrEmpty(connection.Options) ? SessionSettings : $"{connection.Options} {SessionSettings}";
        connection.ApplicationName ??= "collab";
        _source = NpgsqlDataSource.Create(connection);
        Where = $"the database {connection.Database ?? connection.Username} of Postgres at {connection.Host}";
    }

    /// <summary>Where the data are, for the operator.</summary>
    public string Where { get; }

    /// <summary>The random bytes by which epochs are derived; known once a connection was opened.</summary>
    public byte[] Id => _id ?? throw new RoomLogUnavailableException("The store is not connected.");

    public async ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            _id ??= await PostgresSchema.BringAsync(connection, cancellationToken).ConfigureAwait(false);
            return connection;
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
