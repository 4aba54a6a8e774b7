using System.Globalization;
using Collab.Server.Rooms;
using Npgsql;

namespace Collab.Storage.Postgres;

/// <summary>The tables of the schema <c>collab</c>, and how older ones become these. See docs/storage.md.</summary>
internal static class PostgresSchema
{
    // Any number that nothing else locks by: the beginning of "collab" in ASCII.
    private const long Lock = 0x636F6C6C6162;

    /// <summary>Step n makes version n + 1 out of version n; the first makes an empty database one of Collab's.</summary>
    private static readonly string[] Steps =
    [
        """
        CREATE TABLE collab.meta (
            id integer PRIMARY KEY CHECK (id = 1),
            schema_version integer NOT NULL,
            database_id bytea NOT NULL
        );
        CREATE TABLE collab.rooms (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            kind smallint NOT NULL,
            name text COLLATE "C" NOT NULL,
            generation bigint NOT NULL DEFAULT 1,
            head bigint NOT NULL DEFAULT 0,
            snapshot bigint NOT NULL DEFAULT 0,
            trimmed bigint NOT NULL DEFAULT 0,
            bytes bigint NOT NULL DEFAULT 0,
            UNIQUE (kind, name)
        ) WITH (fillfactor = 70);
        CREATE TABLE collab.entries (
            room bigint NOT NULL,
            "offset" bigint NOT NULL,
            data bytea NOT NULL,
            author text,
            written_at bigint NOT NULL,
            PRIMARY KEY (room, "offset")
        );
        CREATE TABLE collab.snapshots (
            room bigint PRIMARY KEY,
            "offset" bigint NOT NULL,
            data bytea NOT NULL
        );
        ALTER TABLE collab.entries ALTER COLUMN data SET STORAGE EXTERNAL;
        ALTER TABLE collab.snapshots ALTER COLUMN data SET STORAGE EXTERNAL;
        CREATE TABLE collab.keys (
            room bigint NOT NULL,
            key text COLLATE "C" NOT NULL,
            "offset" bigint NOT NULL,
            expires_at bigint NOT NULL,
            PRIMARY KEY (room, key)
        );
        CREATE INDEX keys_by_expiry ON collab.keys (expires_at);
        CREATE TABLE collab.commits (
            writer uuid PRIMARY KEY,
            number bigint NOT NULL,
            at timestamptz NOT NULL DEFAULT now()
        ) WITH (fillfactor = 50);
        INSERT INTO collab.meta VALUES (1, 1, decode(replace(gen_random_uuid()::text, '-', ''), 'hex'));
        """,
    ];

    /// <summary>The version that this code reads and writes.</summary>
    public static int Version => Steps.Length;

    /// <summary>Makes the tables, or brings older ones to this version, and reads the database's id. Several nodes may do it at once.</summary>
    /// <exception cref="RoomLogUnavailableException">They are of a newer version.</exception>
    public static async Task<byte[]> BringAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await RunAsync(connection, string.Create(CultureInfo.InvariantCulture, $"SELECT pg_advisory_xact_lock({Lock})"), cancellationToken)
            .ConfigureAwait(false);
        var exists = await AskAsync(connection, "SELECT to_regclass('collab.meta') IS NOT NULL", cancellationToken).ConfigureAwait(false) is true;
        var version = exists
            ? (int)(await AskAsync(connection, "SELECT schema_version FROM collab.meta", cancellationToken).ConfigureAwait(false))!
            : 0;
        if (version > Version)
        {
            throw new RoomLogUnavailableException(string.Create(
                CultureInfo.InvariantCulture,
                $"The store has schema version {version}; this program knows versions up to {Version}. Use a newer program."));
        }

        if (version == 0)
            await RunAsync(connection, "CREATE SCHEMA IF NOT EXISTS collab", cancellationToken).ConfigureAwait(false);
        foreach (var step in Steps.AsMemory(version).ToArray())
            await RunAsync(connection, step, cancellationToken).ConfigureAwait(false);
        if (version < Version)
        {
            await RunAsync(
                connection, string.Create(CultureInfo.InvariantCulture, $"UPDATE collab.meta SET schema_version = {Version}"), cancellationToken)
                .ConfigureAwait(false);
        }

        // Of writers that are long gone.
        await RunAsync(connection, "DELETE FROM collab.commits WHERE at < now() - interval '1 day'", cancellationToken).ConfigureAwait(false);
        var id = (byte[])(await AskAsync(connection, "SELECT database_id FROM collab.meta", cancellationToken).ConfigureAwait(false))!;
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return id;
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async Task<object?> AskAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
    }
}
