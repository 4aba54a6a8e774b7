using System.Collections.Concurrent;
using System.Text.Json;
using Collab.Server;
using Collab.Server.Events;
using Microsoft.Extensions.DependencyInjection;

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

    [Fact]
    public async Task Sinks_of_events_are_told_of_them_as_of_other_messages()
    {
        await using var followed = await Followed.CreateAsync(postgres.Server, "CREATE TABLE one (id int PRIMARY KEY); CREATE TABLE two (id int PRIMARY KEY)");
        var told = new Told();
        var host = await followed.LaunchAsync(
            "public.one public.two", collab => collab.AddEventSink("told", new EventSubscription { Events = { EventTypes.ChannelPublished } }, _ => told));
        await Followed.UntilAsync(() => host.Services.GetRequiredService<ChangesStatus>().IsReading);

        await followed.RunAsync("BEGIN; INSERT INTO one VALUES (1); INSERT INTO two VALUES (2); COMMIT");

        await Followed.UntilAsync(() => told.Subjects.Count == 2);
        Assert.Equal(["channels/db:public.one", "channels/db:public.two"], told.Subjects.Order());
    }

    private sealed class Told : IEventSink
    {
        public int MaxBatch => 10;

        public ConcurrentQueue<string> Subjects { get; } = new();

        public ValueTask<EventOutcome> SendAsync(IReadOnlyList<OutgoingEvent> events, CancellationToken cancellationToken)
        {
            foreach (var one in events)
                Subjects.Enqueue(one.Subject);
            return ValueTask.FromResult(EventOutcome.Delivered);
        }
    }

    private static string Raw(JsonElement data, string property) => data.TryGetProperty(property, out var value) ? value.GetRawText() : "-";
}
