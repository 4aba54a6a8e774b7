using System.Text.Json;
using Collab.Testing;

namespace Collab.PostgresChanges;

/// <summary>Readers with filters, and with roles, get of a table's changes what is theirs.</summary>
public sealed class FilterTests(LogicalPostgres postgres) : IClassFixture<LogicalPostgres>
{
    private const string Table = "CREATE TABLE orders (id int PRIMARY KEY, shop int, total numeric, state text)";

    [Fact]
    public async Task The_same_rows_come_to_three_subscribers_as_their_filters_say()
    {
        await using var followed = await Followed.CreateAsync(postgres.Server, $"{Table}; ALTER TABLE orders REPLICA IDENTITY FULL");
        var host = await followed.StartAsync("public.orders");
        var shop = followed.Read(host, "public.orders", "?rewind=1000&filter=shop=eq.1");
        var dear = followed.Read(host, "public.orders", "?rewind=1000&filter=total=gt.99.5&filter=state=in.(open,late)");
        var hub = new ChannelClient(await host.ConnectAsync());
        await hub.SubscribeAsync("db:public.orders?state=is.null");

        await followed.RunAsync("INSERT INTO orders SELECT i, i % 2, i, CASE WHEN i % 5 > 0 THEN 'open' END FROM generate_series(97, 106) AS i");
        await followed.RunAsync("UPDATE orders SET shop = 2 WHERE id = 97");
        await followed.RunAsync("UPDATE orders SET total = 99.51, state = 'late' WHERE id = 97");
        await followed.RunAsync("UPDATE orders SET state = NULL WHERE id = 106");
        await followed.RunAsync("DELETE FROM orders WHERE id IN (97, 101)");
        await followed.RunAsync("TRUNCATE orders");

        string[] ofShop =
        [
            "insert 97", "insert 99", "insert 101", "insert 103", "insert 105",
            // It leaves the shop; what becomes of it then is not the shop's matter.
            "update 97", "delete 101", "truncate ",
        ];
        Assert.Equal(ofShop, (await shop.TakeAsync(ofShop.Length)).Select(Told));
        string[] ofDear =
        [
            "insert 101", "insert 102", "insert 103", "insert 104", "insert 106",
            "update 97", "update 106", "delete 97", "delete 101", "truncate ",
        ];
        Assert.Equal(ofDear, (await dear.TakeAsync(ofDear.Length)).Select(Told));
        string[] ofNone = ["insert 100", "insert 105", "update 106", "truncate "];
        await hub.UntilAsync(client => client.Received.Count >= ofNone.Length);
        Assert.Equal(ofNone, hub.Received.Zip(hub.Data, (received, data) => Told((received.Message.Event, JsonElement.Parse(data)))));
    }

    [Fact]
    public async Task A_delete_of_which_the_database_tells_the_key_alone_comes_to_all_but_those_with_another_key()
    {
        await using var followed = await Followed.CreateAsync(postgres.Server, Table);
        var host = await followed.StartAsync("public.orders");
        var shop = followed.Read(host, "public.orders", "?rewind=1000&filter=shop=eq.1");
        var one = followed.Read(host, "public.orders", "?rewind=1000&filter=id=lt.2");

        await followed.RunAsync("INSERT INTO orders SELECT i, i FROM generate_series(1, 3) AS i; DELETE FROM orders");

        Assert.Equal(["insert 1", "delete 1", "delete 2", "delete 3"], (await shop.TakeAsync(4)).Select(Told));
        Assert.Equal(["insert 1", "delete 1"], (await one.TakeAsync(2)).Select(Told));
    }

    [Fact]
    public async Task Two_roles_see_what_the_tables_policies_let_each_see()
    {
        await using var followed = await Followed.CreateAsync(
            postgres.Server,
            $"""
            {Table};
            DO $do$ BEGIN CREATE ROLE clerk; CREATE ROLE boss; EXCEPTION WHEN duplicate_object THEN NULL; END $do$;
            ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
            CREATE POLICY of_shop ON orders TO clerk USING (shop = (current_setting('request.jwt.claims')::json->>'sid')::int);
            CREATE POLICY of_all ON orders TO boss USING (true);
            GRANT SELECT (id, shop, state) ON orders TO clerk;
            GRANT SELECT ON orders TO boss
            """);
        var host = await followed.StartAsync(
            "public.orders", ("Collab:PostgresChanges:RowSecurity:Roles:0", "clerk"), ("Collab:PostgresChanges:RowSecurity:Roles:1", "boss"));
        await using var clerk = Read(host, "clerk", "1", "");
        await using var other = Read(host, "clerk", "2", "&filter=state=eq.open");
        await using var boss = Read(host, "boss", null, "");

        await followed.RunAsync("INSERT INTO orders SELECT i, 1 + i % 2, i * 10, CASE WHEN i % 4 = 1 THEN 'open' END FROM generate_series(1, 8) AS i");
        await followed.RunAsync("UPDATE orders SET state = 'open' WHERE id IN (2, 3)");

        Assert.Equal(["insert 2", "insert 4", "insert 6", "insert 8", "update 2"], (await clerk.TakeAsync(5)).Select(Told));
        Assert.Equal(["insert 1", "insert 5", "update 3"], (await other.TakeAsync(3)).Select(Told));
        Assert.Equal([.. Enumerable.Range(1, 8).Select(i => $"insert {i}"), "update 2", "update 3"], (await boss.TakeAsync(10)).Select(Told));
        Assert.Equal("""{"id":2,"shop":1,"state":null}""", (await clerk.TakeAsync(1))[0].Data.GetProperty("record").GetRawText());
        Assert.Equal("""{"id":1,"shop":2,"total":10,"state":"open"}""", (await boss.TakeAsync(1))[0].Data.GetProperty("record").GetRawText());
    }

    [Fact]
    public async Task A_table_that_begins_anew_makes_those_with_a_filter_come_back_too()
    {
        await using var followed = await Followed.CreateAsync(postgres.Server, Table);
        var host = await followed.StartAsync("public.orders");
        var hub = new ChannelClient(await host.ConnectAsync());
        var position = (await hub.SubscribeAsync("db:public.orders?shop=eq.1")).Position;
        await followed.RunAsync("INSERT INTO orders VALUES (1, 1)");
        await hub.UntilAsync(client => client.Received.Count == 1);

        await followed.RunAsync("ALTER TABLE orders RENAME TO former; CREATE TABLE orders (id int PRIMARY KEY, shop int)");

        await hub.Client.UntilAsync(client => client.IsClosed);
        hub = new ChannelClient(await host.ConnectAsync());
        Assert.False((await hub.SubscribeAsync("db:public.orders?shop=eq.1", after: position)).Recovered);
    }

    private static EventSourceReader Read(CollabTestHost host, string role, string? shop, string query) => new(
        () => $"{host.Url}/channels/db:public.orders/events?rewind=1000{query}",
        TestAuthentication.Header("ada", CollabTestHost.Everything, session: shop, role: role));

    private static string Told((string Event, JsonElement Data) change) =>
        $"{change.Event} {(change.Data.TryGetProperty("record", out var row) || change.Data.TryGetProperty("oldRecord", out row) ? row.GetProperty("id").GetRawText() : "")}";
}
