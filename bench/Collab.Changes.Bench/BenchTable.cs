using System.Diagnostics;
using Collab.Testing.Servers;
using Npgsql;

namespace Collab.Changes.Bench;

/// <summary>The table that is written to: messages of a chat, about a hundred bytes each.</summary>
internal sealed class BenchTable(string connectionString)
{
    private const int Writers = 8;
    private const string Values = "i % 100, 'What was said, which is about as long as what people say.', i / 7.0";

    public string ConnectionString => connectionString;

    public static async Task<BenchTable> CreateAsync(PostgresServer server)
    {
        var table = new BenchTable(server.ConnectionString(await server.CreateDatabaseAsync()));
        await table.RunAsync(
            "CREATE TABLE messages (id bigserial PRIMARY KEY, room_id int, body text, price numeric(12, 2), at timestamptz DEFAULT clock_timestamp());"
            + "CREATE PUBLICATION collab FOR TABLE messages");
        return table;
    }

    /// <summary>One transaction for each row, by several writers.</summary>
    public Task WriteSmallAsync(int rows) => Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => RunAsync(
        $"""
        SET synchronous_commit = off;
        DO $do$ BEGIN
            FOR i IN 1..{rows / Writers} LOOP
                INSERT INTO messages (room_id, body, price) VALUES ({Values});
                COMMIT;
            END LOOP;
        END $do$
        """)));

    /// <summary>All rows in one transaction.</summary>
    public Task WriteLargeAsync(int rows) => RunAsync(
        $"INSERT INTO messages (room_id, body, price) SELECT {Values} FROM generate_series(1, {rows}) i");

    /// <summary>So many one-row transactions a second.</summary>
    public async Task WriteSteadilyAsync(int rate, int seconds)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"INSERT INTO messages (room_id, body, price) SELECT {Values} FROM generate_series(1, 1) i", connection);
        var started = Stopwatch.GetTimestamp();
        for (var row = 0; row < rate * seconds; row++)
        {
            var due = TimeSpan.FromSeconds(row / (double)rate) - Stopwatch.GetElapsedTime(started);
            if (due > TimeSpan.Zero)
                await Task.Delay(due);
            await command.ExecuteNonQueryAsync();
        }
    }

    /// <summary>Waits until a question is answered with true.</summary>
    public async Task UntilAsync(string question)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(question, connection);
        while (await command.ExecuteScalarAsync() is not true)
            await Task.Delay(5);
    }

    public async Task RunAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 300 };
        await command.ExecuteNonQueryAsync();
    }
}
