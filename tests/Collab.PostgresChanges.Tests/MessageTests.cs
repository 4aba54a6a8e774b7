using System.Text.Json;
using Collab.Testing;

namespace Collab.PostgresChanges;

public sealed class MessageTests(LogicalPostgres postgres) : IClassFixture<LogicalPostgres>
{
    [Fact]
    public async Task Each_change_of_a_row_is_a_message_with_what_it_is_and_was()
    {
        await using var followed = await Followed.CreateAsync(postgres.Server, "CREATE TABLE orders (id int PRIMARY KEY, item text)");
        var reader = followed.Read(await followed.StartAsync("public.orders"), "public.orders");

        await followed.RunAsync("INSERT INTO orders VALUES (1, 'tea')");
        await followed.RunAsync("UPDATE orders SET item = 'coffee'");
        await followed.RunAsync("UPDATE orders SET id = 2");
        await followed.RunAsync("DELETE FROM orders");
        await followed.RunAsync("TRUNCATE orders");

        var changes = await reader.TakeAsync(5);
        Assert.Equal(["insert", "update", "update", "delete", "truncate"], changes.Select(change => change.Event));
        Assert.Equal(
            [
                """{"id":1,"item":"tea"} -""",
                """{"id":1,"item":"coffee"} -""",
                """{"id":2,"item":"coffee"} {"id":1}""",
                """- {"id":2}""",
                "- -",
            ],
            changes.Select(change => $"{Raw(change.Data, "record")} {Raw(change.Data, "oldRecord")}"));
        Assert.All(changes, change =>
        {
            Assert.Equal("public", change.Data.GetProperty("schema").GetString());
            Assert.Equal("orders", change.Data.GetProperty("table").GetString());
            Assert.InRange(change.Data.GetProperty("commitTime").GetDateTime(), DateTime.UtcNow.AddMinutes(-1), DateTime.UtcNow.AddMinutes(1));
        });
    }

    private static string Raw(JsonElement data, string property) => data.TryGetProperty(property, out var value) ? value.GetRawText() : "-";
}
