using Collab.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.PostgresChanges;

public sealed class ContinuityTests(LogicalPostgres postgres) : IClassFixture<LogicalPostgres>
{
    private const string Table = "CREATE TABLE orders (id int PRIMARY KEY)";

    [Fact]
    public async Task What_is_changed_while_no_server_runs_follows_when_one_does()
    {
        await using var followed = await Followed.CreateAsync(postgres.Server, Table);
        var host = await followed.StartAsync("public.orders");
        var reader = followed.Read(host, "public.orders");
        await followed.RunAsync("INSERT INTO orders VALUES (1)");
        await reader.TakeAsync(1);
        await host.DisposeAsync();

        await followed.RunAsync("INSERT INTO orders VALUES (2)");
        host = await followed.StartAsync("public.orders");
        reader = followed.Read(host, "public.orders", $"?after={reader.LastId}");

        Assert.Equal(2, await IdAsync(reader));
    }

    [Fact]
    public async Task When_the_slot_was_dropped_readers_are_told_that_changes_are_lost()
    {
        await using var followed = await Followed.CreateAsync(postgres.Server, Table);
        var host = await followed.StartAsync("public.orders");
        var reader = followed.Read(host, "public.orders");
        await followed.RunAsync("INSERT INTO orders VALUES (1)");
        await reader.TakeAsync(1);
        await host.DisposeAsync();

        await followed.RunAsync($"SELECT pg_drop_replication_slot('{followed.Database}'); INSERT INTO orders VALUES (2)");
        host = await followed.StartAsync("public.orders");
        reader = followed.Read(host, "public.orders", $"?after={reader.LastId}");
        await reader.UntilAsync(r => r.Opened == 1);
        await followed.RunAsync("INSERT INTO orders VALUES (3)");

        var events = await EventsAsync(reader, 2);
        Assert.Equal(["collab:gap", "insert"], events);
    }

    [Fact]
    public async Task Readers_that_are_there_when_the_slot_is_lost_are_told_too()
    {
        await using var followed = await Followed.CreateAsync(postgres.Server, Table);
        var host = await followed.StartAsync("public.orders");
        var reader = followed.Read(host, "public.orders");
        var hub = new ChannelClient(await host.ConnectAsync());
        var position = (await hub.SubscribeAsync("db:public.orders")).Position;
        await followed.RunAsync("INSERT INTO orders VALUES (1)");
        await reader.TakeAsync(1);

        // Whoever reads the slot is ended, and it is gone before he is back.
        await followed.RunAsync(
            $"""
            DO $do$ BEGIN
                PERFORM pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{followed.Database}';
                LOOP
                    BEGIN
                        PERFORM pg_drop_replication_slot('{followed.Database}');
                        EXIT;
                    EXCEPTION WHEN object_in_use THEN
                        PERFORM pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '{followed.Database}';
                    END;
                END LOOP;
            END $do$
            """);

        await reader.UntilAsync(r => r.Events.Any(one => one.Event == "collab:gap"));
        await hub.Client.UntilAsync(client => client.IsClosed);
        hub = new ChannelClient(await host.ConnectAsync());
        Assert.False((await hub.SubscribeAsync("db:public.orders", after: position)).Recovered);
        await Followed.UntilAsync(() => host.Services.GetRequiredService<ChangesStatus>().IsReading);
        await followed.RunAsync("INSERT INTO orders VALUES (2)");
        Assert.Equal(["insert", "collab:gap", "insert"], await EventsAsync(reader, 3));
    }

    [Theory]
    [InlineData("SELECT pg_replication_slot_advance('{0}', pg_current_wal_lsn())")]
    [InlineData("DROP PUBLICATION collab")]
    [InlineData("ALTER PUBLICATION collab DROP TABLE orders")]
    [InlineData("DROP TABLE orders; CREATE TABLE orders (id int PRIMARY KEY)")]
    public async Task Readers_are_told_when_changes_may_be_lost_in_another_way(string how)
    {
        await using var followed = await Followed.CreateAsync(postgres.Server, Table);
        var host = await followed.StartAsync("public.orders");
        var reader = followed.Read(host, "public.orders");
        await followed.RunAsync("INSERT INTO orders VALUES (1)");
        await reader.TakeAsync(1);
        await host.DisposeAsync();

        await followed.RunAsync("INSERT INTO orders VALUES (2)");
        await followed.RunAsync(how.Replace("{0}", followed.Database, StringComparison.Ordinal));
        host = await followed.StartAsync("public.orders");
        reader = followed.Read(host, "public.orders", $"?after={reader.LastId}");

        await reader.UntilAsync(r => r.Events.Any(one => one.Event == "collab:gap"));
    }

    [Fact]
    public async Task A_table_that_was_not_followed_for_a_while_begins_anew_and_others_go_on()
    {
        await using var followed = await Followed.CreateAsync(postgres.Server, "CREATE TABLE one (id int PRIMARY KEY); CREATE TABLE two (id int PRIMARY KEY)");
        var host = await followed.StartAsync("public.one public.two");
        var (one, two) = (followed.Read(host, "public.one"), followed.Read(host, "public.two"));
        await followed.RunAsync("INSERT INTO one VALUES (1); INSERT INTO two VALUES (1)");
        await one.TakeAsync(1);
        await two.TakeAsync(1);
        await host.DisposeAsync();
        host = await followed.StartAsync("public.one");
        await followed.RunAsync("INSERT INTO one VALUES (2); INSERT INTO two VALUES (2)");
        await followed.Read(host, "public.one", $"?after={one.LastId}").TakeAsync(1);
        await host.DisposeAsync();

        host = await followed.StartAsync("public.one public.two");
        (one, two) = (followed.Read(host, "public.one", $"?after={one.LastId}"), followed.Read(host, "public.two", $"?after={two.LastId}"));

        await two.UntilAsync(r => r.Events.Any(one => one.Event == "collab:gap"));
        Assert.Equal(2, await IdAsync(one));
    }

    [Fact]
    public async Task A_table_that_is_made_while_the_server_runs_is_followed_then()
    {
        await using var followed = await Followed.CreateAsync(postgres.Server, Table);
        var host = await followed.StartAsync("public.orders public.later");
        Assert.Equal("the table public.later does not exist.", host.Services.GetRequiredService<ChangesStatus>().Fault);

        await followed.RunAsync("CREATE TABLE later (id int PRIMARY KEY)");

        await Followed.UntilAsync(() => host.Services.GetRequiredService<ChangesStatus>() is { Fault: null, IsReading: true });
        var reader = followed.Read(host, "public.later");
        await followed.RunAsync("INSERT INTO later VALUES (1)");
        Assert.Equal(1, await IdAsync(reader));
    }

    [Fact]
    public async Task What_other_tables_write_need_not_be_kept_for_the_slot()
    {
        await using var followed = await Followed.CreateAsync(postgres.Server, Table + "; CREATE TABLE others (id int)");
        await followed.StartAsync("public.orders");

        await followed.RunAsync("INSERT INTO others SELECT generate_series(1, 10000)");
        var written = await followed.AskAsync<string>("SELECT pg_current_wal_lsn()::text");

        for (var tries = 0; !await followed.AskAsync<bool>(
            $"SELECT confirmed_flush_lsn >= '{written}' FROM pg_replication_slots WHERE slot_name = '{followed.Database}'"); tries++)
        {
            Assert.True(tries < 500);
            await Task.Delay(50);
        }
    }

    private static async Task<int> IdAsync(EventSourceReader reader) =>
        (await reader.TakeAsync(1))[0].Data.GetProperty("record").GetProperty("id").GetInt32();

    private static async Task<string[]> EventsAsync(EventSourceReader reader, int count)
    {
        await reader.UntilAsync(r => r.Events.Count >= count);
        return [.. reader.Events.Select(one => one.Event)];
    }
}
