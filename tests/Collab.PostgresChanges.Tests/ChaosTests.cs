using System.Text.Json;
using System.Text.RegularExpressions;
using Collab.Testing;
using Npgsql;

namespace Collab.PostgresChanges;

/// <summary>Each row once and in commit order, or the epoch changes: whatever is killed and whenever.</summary>
public sealed partial class ChaosTests
{
    private const int Writers = 8;
    private const int RowsOfWriter = 2_500;
    private const int RowsOfLarge = 100_000;
    private const int Rows = (Writers * RowsOfWriter) + RowsOfLarge;
    private const int Kills = 10;

    [Fact]
    public async Task Each_row_comes_once_and_in_commit_order_while_servers_are_killed_and_the_database_crashes()
    {
        await using var server = await LogicalPostgres.StartAsync("max_wal_size=4GB");
        await using var followed = await Followed.CreateAsync(server, "CREATE TABLE orders (id int PRIMARY KEY, item text)");
        using var data = new TemporaryFolder();
        // Postgres' own plugin for tests says what was committed, and in which order.
        await followed.RunAsync("SELECT pg_create_logical_replication_slot('judge', 'test_decoding')");
        var host = await StartAsync(followed, data);
        await using var reader = new EventSourceReader(() => $"{host.Url}/channels/db:public.orders/events?rewind=1000", "");
        await reader.UntilAsync(r => r.Opened == 1);

        var killed = 0;
        var writing = Task.WhenAll(Enumerable.Range(0, Writers).Select(async writer =>
        {
            for (var row = 0; row < RowsOfWriter; row++)
            {
                // As many rows as there were kills: so some are written at any time.
                while (row > RowsOfWriter * (Volatile.Read(ref killed) + 1) / Kills)
                    await Task.Delay(5);
                await WriteAsync(followed, $"INSERT INTO orders VALUES ({(row * Writers) + writer}, 'small') ON CONFLICT DO NOTHING");
            }
        }));
        var large = Task.CompletedTask;
        for (; killed < Kills; killed++)
        {
            if (killed == 2)
                large = WriteAsync(followed, $"INSERT INTO orders SELECT i, 'large' FROM generate_series({Rows - RowsOfLarge}, {Rows - 1}) i ON CONFLICT DO NOTHING");
            var before = reader.Events.Count;
            await reader.UntilAsync(r => r.Events.Count > before);
            await host.DisposeAsync();
            if (killed == Kills / 2)
            {
                await server.CrashAsync();
                await server.StartAgainAsync();
            }

            host = await StartAsync(followed, data);
        }

        await Task.WhenAll(writing, large);
        await reader.UntilAsync(r => r.Events.Count >= Rows);
        await host.DisposeAsync();

        var committed = await CommittedAsync(followed);
        Assert.Equal(Rows, committed.Count);
        Assert.NotEqual(committed.Order(), committed);
        Assert.Equal(committed, reader.Events.Select(IdOf));
    }

    [Fact]
    public async Task When_the_database_kept_less_than_was_not_read_readers_are_told()
    {
        await using var server = await LogicalPostgres.StartAsync("max_slot_wal_keep_size=16MB", "max_wal_size=32MB", "min_wal_size=32MB");
        await using var followed = await Followed.CreateAsync(server, "CREATE TABLE orders (id int PRIMARY KEY, item text)");
        var host = await followed.StartAsync("public.orders");
        var reader = followed.Read(host, "public.orders");
        await followed.RunAsync("INSERT INTO orders VALUES (0, 'first')");
        await reader.TakeAsync(1);
        await host.DisposeAsync();

        await followed.RunAsync("INSERT INTO orders SELECT i, repeat('x', 1000) FROM generate_series(1, 60000) i");
        await followed.RunAsync("CHECKPOINT");
        Assert.Equal("lost", await followed.AskAsync<string>($"SELECT wal_status FROM pg_replication_slots WHERE slot_name = '{followed.Database}'"));
        host = await followed.StartAsync("public.orders");
        reader = followed.Read(host, "public.orders", $"?after={reader.LastId}");
        await reader.UntilAsync(r => r.Opened == 1);
        await followed.RunAsync("INSERT INTO orders VALUES (-1, 'last')");

        await reader.UntilAsync(r => r.Events.Count == 2);
        Assert.Equal(["collab:gap", "insert"], reader.Events.Select(one => one.Event));
    }

    private static Task<HostProcess> StartAsync(Followed followed, TemporaryFolder data) => HostProcess.Launch(data.Path, settings:
        [
            ("Collab__PostgresChanges__ConnectionString", followed.ConnectionString),
            ("Collab__PostgresChanges__Tables__0", "public.orders"),
            ("Collab__Channels__Default__HistoryMessages", "1000000"),
            ("Collab__Channels__Default__HistoryBytes", "1000000000"),
        ]).ReadyAsync();

    /// <summary>Runs a statement until it is known to be committed; so it must do nothing when it was before.</summary>
    private static async Task WriteAsync(Followed followed, string sql)
    {
        while (true)
        {
            try
            {
                await using var connection = new NpgsqlConnection(followed.ConnectionString);
                await connection.OpenAsync();
                await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 60 };
                await command.ExecuteNonQueryAsync();
                return;
            }
            catch (NpgsqlException)
            {
                await Task.Delay(50);
            }
        }
    }

    private static async Task<List<int>> CommittedAsync(Followed followed)
    {
        await using var connection = new NpgsqlConnection(followed.ConnectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "SELECT data FROM pg_logical_slot_get_changes('judge', NULL, NULL) WHERE data LIKE 'table public.orders: INSERT%'", connection)
        { CommandTimeout = 60 };
        await using var rows = await command.ExecuteReaderAsync();
        var ids = new List<int>();
        while (await rows.ReadAsync())
            ids.Add(int.Parse(InsertedId().Match(rows.GetString(0)).Groups[1].ValueSpan, null));
        return ids;
    }

    private static int IdOf((string Id, string Event, string Data) one)
    {
        using var message = JsonDocument.Parse(one.Data);
        return message.RootElement.GetProperty("data").TryGetProperty("record", out var record) ? record.GetProperty("id").GetInt32() : -1;
    }

    [GeneratedRegex(@"id\[integer\]:(\d+)")]
    private static partial Regex InsertedId();
}
