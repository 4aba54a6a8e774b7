using System.Net;
using Collab.Protocol;
using Collab.Server;
using Collab.Testing;
using Collab.Testing.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Collab.PostgresChanges;

public sealed class FaultTests(LogicalPostgres postgres) : IClassFixture<LogicalPostgres>
{
    private const string Table = "CREATE TABLE orders (id int PRIMARY KEY)";

    [Theory]
    [InlineData("Tables:0", "orders", "Collab:PostgresChanges:Tables:0 must be a table as schema.table, such as public.orders.")]
    [InlineData("Tables:0", "a.b.c", "Collab:PostgresChanges:Tables:0 must be a table as schema.table, such as public.orders.")]
    [InlineData("Tables:0", "public.größe", "Collab:PostgresChanges:Tables:0: a table that is followed has a name of A-Z a-z 0-9 _ ~ : @ -, as its channel has that name too.")]
    [InlineData("Tables:1", "public.orders", "Collab:PostgresChanges:Tables has a table twice.")]
    [InlineData("Slot", "My-Slot", "Collab:PostgresChanges:Slot must be 1 to 63 lower-case letters, digits and _.")]
    [InlineData("ConnectionString", "nonsense", "Set Collab:PostgresChanges:ConnectionString to a connection string such as Host=db.example;Database=app;Username=collab;Password=….")]
    public async Task Wrong_settings_stop_the_start_with_a_sentence(string key, string value, string sentence)
    {
        var settings = new Dictionary<string, string> { ["ConnectionString"] = "Host=127.0.0.1", ["Tables:0"] = "public.orders", [key] = value };
        var start = CollabTestHost.StartAsync(
            settings.Select(setting => ($"Collab:PostgresChanges:{setting.Key}", setting.Value)), collab => collab.AddPostgresChanges());

        Assert.Equal(sentence, (await Assert.ThrowsAsync<OptionsValidationException>(() => start)).Message);
    }

    [Fact]
    public async Task A_table_whose_channel_would_be_ephemeral_stops_the_start()
    {
        var start = CollabTestHost.StartAsync(
            [
                ("Collab:PostgresChanges:ConnectionString", "Host=127.0.0.1"),
                ("Collab:PostgresChanges:Tables:0", "public.orders"),
                ("Collab:Channels:Namespaces:0:Pattern", "db:*"),
                ("Collab:Channels:Namespaces:0:Ephemeral", "true"),
            ],
            collab => collab.AddPostgresChanges());

        Assert.Contains("ephemeral", (await Assert.ThrowsAsync<OptionsValidationException>(() => start)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_publishes_in_the_channels_of_tables()
    {
        await using var followed = await Followed.CreateAsync(postgres.Server, Table);
        var host = await followed.StartAsync("public.orders");

        using var answer = await host.PostAsync("/channels/db:public.orders/messages", """{ "event": "insert", "data": 1 }""");

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Equal(ErrorCodes.Forbidden, await answer.CodeAsync());
    }

    [Theory]
    [InlineData("LOGIN", "The user may not read changes. Run ALTER ROLE \"{0}\" REPLICATION;")]
    [InlineData("LOGIN REPLICATION", "The user may not publish the tables. Let their owner run CREATE PUBLICATION \"collab\" FOR TABLE \"public\".\"orders\" WITH (publish_via_partition_root = true);")]
    public async Task What_the_user_may_not_is_said_with_what_to_run_and_works_then(string role, string sentence)
    {
        await using var followed = await Followed.CreateAsync(postgres.Server, Table);
        await followed.RunAsync($"CREATE ROLE \"{followed.Database}\" {role}");
        var host = await followed.LaunchAsync(
            "public.orders", ("Collab:PostgresChanges:ConnectionString", followed.ConnectionString.Replace("Username=postgres", $"Username={followed.Database}", StringComparison.Ordinal)));

        var expected = sentence.Replace("{0}", followed.Database, StringComparison.Ordinal);
        await Followed.UntilAsync(() => host.Services.GetRequiredService<ChangesStatus>().Fault == expected);
        using (var ready = await host.GetAsync("/health/ready"))
        {
            Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
            Assert.Equal(expected, (await ready.JsonAsync()).GetProperty("reasons").GetProperty("postgres_changes").GetString());
        }

        await followed.RunAsync(
            $"ALTER ROLE \"{followed.Database}\" REPLICATION; CREATE PUBLICATION collab FOR TABLE public.orders WITH (publish_via_partition_root = true)");
        await Followed.UntilAsync(() => host.Services.GetRequiredService<ChangesStatus>() is { IsReading: true, Fault: null });
    }

    [Fact]
    public async Task A_table_without_identity_is_not_published_as_its_updates_would_fail()
    {
        await using var followed = await Followed.CreateAsync(postgres.Server, Table + "; CREATE TABLE loose (id int); INSERT INTO loose VALUES (1)");
        var host = await followed.StartAsync("public.orders public.loose");

        Assert.Equal(
            "the table public.loose has no primary key, so publishing it would make its updates fail. Run ALTER TABLE \"public\".\"loose\" REPLICA IDENTITY FULL;",
            host.Services.GetRequiredService<ChangesStatus>().Fault);
        await followed.RunAsync("UPDATE loose SET id = 2");
    }

    [Fact]
    public async Task A_database_that_does_not_keep_what_is_needed_is_told_so()
    {
        await using var server = await PostgresServer.StartAsync();
        await using var followed = await Followed.CreateAsync(server, Table);
        var host = await followed.LaunchAsync("public.orders");

        await Followed.UntilAsync(() => host.Services.GetRequiredService<ChangesStatus>().Fault ==
            "The database does not keep what logical replication needs. Run ALTER SYSTEM SET wal_level = logical; and restart Postgres.");
    }

    [Fact]
    public async Task While_the_database_is_away_everything_else_works()
    {
        await using var server = await LogicalPostgres.StartAsync();
        await using var followed = await Followed.CreateAsync(server, Table);
        var host = await followed.StartAsync("public.orders");
        var reader = followed.Read(host, "public.orders");

        await server.CrashAsync();
        await Followed.UntilAsync(() => host.Services.GetRequiredService<ChangesStatus>() is { IsReading: false, Fault: not null });
        using (var answer = await host.PostAsync("/channels/chat/messages", """{ "event": "said", "data": 1 }"""))
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await server.StartAgainAsync();
        await followed.RunAsync("INSERT INTO orders VALUES (1)");

        Assert.Equal("insert", (await reader.TakeAsync(1))[0].Event);
    }

    [Fact]
    public async Task What_waits_to_be_read_is_measured_and_too_much_of_it_makes_the_node_degraded()
    {
        await using var followed = await Followed.CreateAsync(postgres.Server, Table);
        var host = await followed.LaunchAsync(
            "public.orders", ("Collab:PostgresChanges:LagAlarmBytes", "50000"), ("Collab:PostgresChanges:BatchRows", "1"));
        var status = host.Services.GetRequiredService<ChangesStatus>();
        await Followed.UntilAsync(() => status.Lag is not null);

        // One after the other takes a while.
        await followed.RunAsync("INSERT INTO orders SELECT generate_series(1, 800)");

        await Followed.UntilAsync(() => status.Lag?.Bytes > 50_000);
        using (var ready = await host.GetAsync("/health/ready"))
            Assert.Equal("The changes of tables are far behind.", (await ready.JsonAsync()).GetProperty("reasons").GetProperty("postgres_changes").GetString());
        await Followed.UntilAsync(() => status.Lag?.Bytes < 50_000);
    }
}
