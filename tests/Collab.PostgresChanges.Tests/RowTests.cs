using System.Text.Json;
using Collab.Testing;

namespace Collab.PostgresChanges;

public sealed class RowTests(LogicalPostgres postgres) : IClassFixture<LogicalPostgres>
{
    // What does not compress is stored apart from its row from about two thousand bytes on.
    private const string Large = "(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300) i)";

    [Fact]
    public async Task A_large_value_that_was_not_changed_is_named_and_with_full_identity_it_is_told()
    {
        await using var followed = await Followed.CreateAsync(
            postgres.Server,
            """
            CREATE TABLE plain (id int PRIMARY KEY, body text, title text);
            CREATE TABLE whole (id int PRIMARY KEY, body text, title text);
            ALTER TABLE whole REPLICA IDENTITY FULL
            """);
        var host = await followed.StartAsync("public.plain public.whole");
        var (plain, whole) = (followed.Read(host, "public.plain"), followed.Read(host, "public.whole"));

        foreach (var table in (string[])["plain", "whole"])
        {
            await followed.RunAsync($"INSERT INTO {table} VALUES (1, {Large}, 'a')");
            await followed.RunAsync($"UPDATE {table} SET title = 'b'");
        }

        var body = (await plain.TakeAsync(2))[0].Data.GetProperty("record").GetProperty("body").GetString();
        var update = (await plain.TakeAsync(2))[1].Data;
        Assert.Equal(300 * 32, body!.Length);
        Assert.Equal("""{"id":1,"title":"b"}""", update.GetProperty("record").GetRawText());
        Assert.Equal("""["body"]""", update.GetProperty("unchanged").GetRawText());
        update = (await whole.TakeAsync(2))[1].Data;
        Assert.Equal(JsonSerializer.Serialize(new { id = 1, body, title = "b" }), update.GetProperty("record").GetRawText());
        Assert.Equal(JsonSerializer.Serialize(new { id = 1, body, title = "a" }), update.GetProperty("oldRecord").GetRawText());
        Assert.False(update.TryGetProperty("unchanged", out _));
    }

    [Fact]
    public async Task Of_a_row_that_is_larger_than_a_message_the_large_values_are_left_out_and_named()
    {
        await using var followed = await Followed.CreateAsync(
            postgres.Server, $"CREATE TABLE big (id int PRIMARY KEY, body text, title text, {Columns("n", 60)})");
        var host = await followed.StartAsync("public.big", ("Collab:Channels:Default:MaxMessageBytes", "3000"));
        var reader = followed.Read(host, "public.big");

        await followed.RunAsync("INSERT INTO big VALUES (1, repeat('x', 3001), 'a')");
        await followed.RunAsync("INSERT INTO big VALUES (2, repeat('x', 3000000), 'a')");
        await followed.RunAsync($"INSERT INTO big VALUES (3, 'b', 'c'{string.Concat(Enumerable.Repeat(", repeat('y', 60)", 60))})");

        var changes = await reader.TakeAsync(3);
        foreach (var change in changes[..2])
        {
            Assert.Equal("a", change.Data.GetProperty("record").GetProperty("title").GetString());
            Assert.Equal("""["body"]""", change.Data.GetProperty("truncated").GetRawText());
        }

        Assert.Equal("{}", changes[2].Data.GetProperty("record").GetRawText());
        Assert.True(changes[2].Data.GetProperty("truncated").GetBoolean());
    }

    [Fact]
    public async Task A_table_that_is_altered_is_told_as_it_is_from_then_on()
    {
        await using var followed = await Followed.CreateAsync(postgres.Server, "CREATE TABLE things (id int PRIMARY KEY, gone text, number int)");
        var reader = followed.Read(await followed.StartAsync("public.things"), "public.things");

        await followed.RunAsync("INSERT INTO things VALUES (1, 'a', 2)");
        await followed.RunAsync("BEGIN; ALTER TABLE things DROP COLUMN gone; ALTER TABLE things ADD \"added one\" jsonb DEFAULT '[]'; ALTER TABLE things ALTER number TYPE text; INSERT INTO things VALUES (2, 'b'); COMMIT");

        var changes = await reader.TakeAsync(2);
        Assert.Equal("""{"id":1,"gone":"a","number":2}""", changes[0].Data.GetProperty("record").GetRawText());
        Assert.Equal("""{"id":2,"number":"b","added one":[]}""", changes[1].Data.GetProperty("record").GetRawText());
    }

    [Fact]
    public async Task Truncating_several_tables_empties_each_in_its_channel_and_parts_of_a_table_are_its_own()
    {
        await using var followed = await Followed.CreateAsync(
            postgres.Server,
            """
            CREATE TABLE one (id int PRIMARY KEY);
            CREATE TABLE two (id int PRIMARY KEY);
            CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id);
            CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
            """);
        var host = await followed.StartAsync("public.one public.two public.parts");
        var (one, two, parts) = (followed.Read(host, "public.one"), followed.Read(host, "public.two"), followed.Read(host, "public.parts"));

        await followed.RunAsync("TRUNCATE one, two");
        await followed.RunAsync("INSERT INTO part1 VALUES (7)");

        Assert.Equal("truncate", (await one.TakeAsync(1))[0].Event);
        Assert.Equal("truncate", (await two.TakeAsync(1))[0].Event);
        Assert.Equal("""{"id":7}""", (await parts.TakeAsync(1))[0].Data.GetProperty("record").GetRawText());
    }

    [Fact]
    public async Task A_table_in_any_schema_and_with_any_columns_can_be_followed()
    {
        await using var followed = await Followed.CreateAsync(
            postgres.Server, """CREATE SCHEMA "Sales"; CREATE TABLE "Sales"."Order-Lines" (id int PRIMARY KEY, "__proto__" int, "a ""b" int)""");
        var reader = followed.Read(await followed.StartAsync("Sales.Order-Lines"), "Sales.Order-Lines");

        await followed.RunAsync("""INSERT INTO "Sales"."Order-Lines" VALUES (1, 2, 3)""");

        // No object of JavaScript can have a property of that name.
        Assert.Equal("""{"id":1,"a \"b":3}""", (await reader.TakeAsync(1))[0].Data.GetProperty("record").GetRawText());
    }

    [Fact]
    public async Task Over_the_hub_in_messagepack_a_row_has_what_it_has_in_json()
    {
        await using var followed = await Followed.CreateAsync(postgres.Server, "CREATE TABLE things (id int8 PRIMARY KEY, price numeric, tags text[])");
        var host = await followed.StartAsync("public.things");
        var hub = new ChannelClient(await host.ConnectAsync(messagePack: true));
        await hub.SubscribeAsync("db:public.things");

        await followed.RunAsync($"INSERT INTO things VALUES (9223372036854775807, 1.5, '{{a}}'), (1, '{new string('9', 100)}', NULL), (2, 1e-200, NULL)");

        await hub.UntilAsync(client => client.Received.Count == 3);
        Assert.Contains("\"record\":{\"id\":9223372036854775807,\"price\":1.5,\"tags\":[\"a\"]}", hub.Data.First(), StringComparison.Ordinal);
    }

    private static string Columns(string name, int count) => string.Join(", ", Enumerable.Range(0, count).Select(i => $"{name}{i} text"));
}
