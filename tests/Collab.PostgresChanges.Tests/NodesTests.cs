using Collab.Server;
using Collab.Testing;
using Collab.Testing.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.PostgresChanges;

public sealed class NodesTests(LogicalPostgres postgres) : IClassFixture<LogicalPostgres>
{
    [Fact]
    public async Task One_of_several_nodes_reads_the_slot_and_another_takes_over_when_it_ends()
    {
        await using var followed = await Followed.CreateAsync(postgres.Server, "CREATE TABLE orders (id int PRIMARY KEY)");
        await using var nodes = new InMemoryNodes();
        var (first, second) = (await StartAsync(nodes, followed), await StartAsync(nodes, followed));
        await Followed.UntilAsync(() => Reads(first) || Reads(second));
        var (reading, waiting) = Reads(first) ? (first, second) : (second, first);
        var reader = followed.Read(waiting, "public.orders");
        var hub = new ChannelClient(await waiting.ConnectAsync());
        await hub.SubscribeAsync("db:public.orders");

        await followed.RunAsync("INSERT INTO orders VALUES (1)");
        await reader.TakeAsync(1);
        await reading.DisposeAsync();
        await followed.RunAsync("INSERT INTO orders VALUES (2)");

        var changes = await reader.TakeAsync(2);
        await hub.UntilAsync(client => client.Received.Count == 2);
        Assert.True(Reads(waiting));
        Assert.Equal([1, 2], changes.Select(change => change.Data.GetProperty("record").GetProperty("id").GetInt32()));
        Assert.Equal(1, reader.Opened);
    }

    [Fact]
    public async Task Readers_on_all_nodes_are_told_when_changes_may_be_lost()
    {
        await using var followed = await Followed.CreateAsync(postgres.Server, "CREATE TABLE orders (id int PRIMARY KEY)");
        await using var nodes = new InMemoryNodes();
        var (first, second) = (await StartAsync(nodes, followed), await StartAsync(nodes, followed));
        await Followed.UntilAsync(() => Reads(first) || Reads(second));
        EventSourceReader[] readers = [followed.Read(first, "public.orders"), followed.Read(second, "public.orders")];
        await followed.RunAsync("INSERT INTO orders VALUES (1)");
        foreach (var reader in readers)
            await reader.TakeAsync(1);

        await followed.RunAsync("DROP PUBLICATION collab");

        foreach (var reader in readers)
            await reader.UntilAsync(r => r.Events.Any(one => one.Event == "collab:gap"));
    }

    private static bool Reads(CollabTestHost host) => host.Services.GetRequiredService<ChangesStatus>().IsReading;

    private static Task<CollabTestHost> StartAsync(InMemoryNodes nodes, Followed followed) => nodes.StartAsync(
        collab => collab.AddPostgresChanges(),
        ("Collab:PostgresChanges:ConnectionString", followed.ConnectionString),
        ("Collab:PostgresChanges:Slot", followed.Database),
        ("Collab:PostgresChanges:CheckMilliseconds", "100"),
        ("Collab:Channels:RetryMilliseconds", "100"),
        ("Collab:PostgresChanges:Tables:0", "public.orders"));
}
