using Collab.Protocol;
using Collab.Server.Documents;
using Collab.Server.Rooms;
using Collab.Testing;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Tests.Documents;

/// <summary>The document service on the embedded store: restarts, compaction, refusals, and what is kept in memory.</summary>
public sealed class DocumentStoreTests
{
    private static readonly RoomKey Document = new(RoomKind.Document, "d");

    [Fact]
    public async Task A_document_is_there_after_a_restart_with_position_and_authors()
    {
        using var folder = new TemporaryFolder();
        var typist = new Typist(1);
        string position;
        await using (var host = await StartAsync(folder))
        {
            var client = await host.ConnectAsync("ada");
            await client.JoinAsync("d");
            position = await client.PushAsync("d", typist.Type("kept"));
        }

        await using var restarted = await StartAsync(folder);
        var joined = await (await restarted.ConnectAsync("ben")).JoinAsync("d");

        Assert.Equal(4u, typist.Read(joined.Update));
        Assert.Equal(position, joined.Position);
        var log = restarted.Services.GetRequiredService<IRoomLog>();
        Assert.Equal("ada", Assert.Single((await log.ReadAsync(Document, 0, 10, 1000, default)).Entries).Author);
    }

    [Fact]
    public async Task A_long_log_is_compacted_and_says_the_same_in_fewer_bytes()
    {
        using var folder = new TemporaryFolder();
        await using var host = await StartAsync(folder, ("Collab:Documents:CompactAfterUpdates", "50"));
        var client = await host.ConnectAsync();
        await client.JoinAsync("d");
        var typist = new Typist(1);
        var log = host.Services.GetRequiredService<IRoomLog>();

        for (var i = 0; i < 200; i++)
            await client.PushAsync("d", typist.Type("x"));
        var page = await UntilAsync(
            async () => await log.ReadAsync(Document, 0, 1000, long.MaxValue, default), page => page.Snapshot?.Offset > 50);

        Assert.Equal(200u, typist.Read([page.Snapshot!.Data, .. page.Entries.Select(entry => entry.Data)]));
        Assert.True(page.Snapshot.Data.Length < page.Snapshot.Offset + 50);
        Assert.Equal(200u, typist.Read((await (await host.ConnectAsync()).JoinAsync("d")).Update));
    }

    [Fact]
    public async Task While_the_store_is_locked_updates_are_refused_and_reach_nobody_and_then_it_goes_on()
    {
        using var folder = new TemporaryFolder();
        await using var host = await StartAsync(folder, ("Collab:Sqlite:BusyTimeout", "00:00:00.1"));
        var writer = await host.ConnectAsync("ada");
        var reader = await host.ConnectAsync("ben");
        await writer.JoinAsync("d");
        await reader.JoinAsync("d");
        Typist refused = new(1), accepted = new(2);

        using (var other = new SqliteConnection($"Data Source={Path.Combine(folder.Path, "collab.db")};Pooling=False"))
        {
            other.Open();
            using var transaction = other.BeginTransaction(System.Data.IsolationLevel.Serializable, deferred: false);
            Assert.Equal("unavailable", await TestClient.CodeOfAsync(writer.PushAsync("d", refused.Type("lost"))));
        }

        await writer.PushAsync("d", accepted.Type("kept"));
        await reader.UntilReadAsync(accepted, 4);
        Assert.Equal(0u, refused.Read([.. reader.Updates.Select(update => (ReadOnlyMemory<byte>)update.Update)]));
    }

    [Fact]
    public async Task A_document_whose_stored_bytes_are_damaged_is_refused_and_never_overwritten()
    {
        using var folder = new TemporaryFolder();
        await using var host = await StartAsync(folder);
        var log = host.Services.GetRequiredService<IRoomLog>();
        byte[] damaged = [1, 1, 1, 0, 4, 1, 1];
        await log.AppendAsync(Document, [new NewLogEntry(damaged), new NewLogEntry(damaged)], default);
        var client = await host.ConnectAsync();

        Assert.Equal("unavailable", await TestClient.CodeOfAsync(client.JoinAsync("d")));
        Assert.Equal("not_joined", await TestClient.CodeOfAsync(client.PushAsync("d", new Typist(1).Type("x"))));

        Assert.Equal(2, (await log.ReadAsync(Document, 0, 10, 1000, default)).Head);
    }

    [Fact]
    public async Task A_document_that_nobody_is_in_leaves_memory()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Documents:LingerMilliseconds", "0")]);
        var rooms = host.Services.GetRequiredService<DocumentRooms>();
        var stays = await host.ConnectAsync();
        var leaves = await host.ConnectAsync();
        await stays.JoinAsync("open");
        await leaves.JoinAsync("left");

        await leaves.Connection.StopAsync();

        await UntilAsync(() => Task.FromResult(rooms.Count), count => count == 1);
        Assert.NotNull(rooms.Find("open"));
    }

    [Fact]
    public async Task States_beyond_the_memory_bound_are_dropped_and_loaded_again_when_asked_for()
    {
        using var folder = new TemporaryFolder();
        await using var host = await StartAsync(folder, ("Collab:Documents:ResidentBytes", "1048576"));
        var rooms = host.Services.GetRequiredService<DocumentRooms>();
        var client = await host.ConnectAsync();
        var typists = Enumerable.Range(1, 4).Select(i => new Typist((ulong)i)).ToArray();
        foreach (var typist in typists)
        {
            await client.JoinAsync($"d{typist.ClientId}");
            await client.PushAsync($"d{typist.ClientId}", typist.Type(new string('x', 600_000)));
            await client.SyncAsync($"d{typist.ClientId}");
        }

        await UntilAsync(
            () => Task.FromResult(typists.Sum(typist => rooms.Find($"d{typist.ClientId}")!.Resident.Bytes)), bytes => bytes <= 1048576);

        foreach (var typist in typists)
            Assert.Equal(600_000u, typist.Read((await client.SyncAsync($"d{typist.ClientId}")).Update));
    }

    private static Task<CollabTestHost> StartAsync(TemporaryFolder folder, params (string, string)[] settings) =>
        CollabTestHost.StartAsync([("Collab:DataDirectory", folder.Path), .. settings], collab => collab.AddSqliteStore());

    private static async Task<T> UntilAsync<T>(Func<Task<T>> look, Func<T, bool> condition)
    {
        var deadline = DateTime.UtcNow.AddSeconds(20);
        while (true)
        {
            var seen = await look();
            if (condition(seen))
                return seen;
            if (DateTime.UtcNow > deadline)
                throw new TimeoutException($"It stayed at {seen}.");
            await Task.Delay(20);
        }
    }
}
