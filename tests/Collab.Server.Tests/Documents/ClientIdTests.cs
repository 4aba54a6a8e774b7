using System.Globalization;
using System.Text;
using System.Text.Json;
using Collab.Crdt;
using Collab.Server.Rooms;
using Collab.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Tests.Documents;

/// <summary>Within a document a Yjs client id belongs to the user who used it first: nobody writes, or shows himself, as another.</summary>
public sealed class ClientIdTests
{
    [Fact]
    public async Task Nobody_writes_under_the_client_id_of_another_user()
    {
        await using var host = await CollabTestHost.StartAsync();
        var (ada, ben) = (await JoinedAsync(host, "ada"), await JoinedAsync(host, "ben"));
        var typist = new Typist(1);
        await ada.PushAsync("d", typist.Type("mine"));
        var before = await ada.SyncAsync("d", StateVector.Empty.ToArray());

        var forged = ben.PushAsync("d", typist.Type("forged"));

        Assert.Equal("invalid_update", await TestClient.CodeOfAsync(forged));
        var after = await ada.SyncAsync("d", StateVector.Empty.ToArray());
        Assert.Equal(before.Position, after.Position);
        Assert.Equal(before.Update, after.Update);
        Assert.Empty(ada.Updates);
    }

    [Fact]
    public async Task A_client_id_of_one_document_is_free_in_another()
    {
        await using var host = await CollabTestHost.StartAsync();
        var (ada, ben) = (await JoinedAsync(host, "ada"), await JoinedAsync(host, "ben", "other"));
        await ada.PushAsync("d", new Typist(1).Type("a"));

        await ben.PushAsync("other", new Typist(1).Type("b"));
    }

    [Fact]
    public async Task All_connections_of_a_user_may_use_his_client_ids()
    {
        await using var host = await CollabTestHost.StartAsync();
        var (first, second) = (await JoinedAsync(host, "ada"), await JoinedAsync(host, "ada"));
        Typist old = new(1), renewed = new(2);
        await first.PushAsync("d", old.Type("a"));

        await second.PushAsync("d", Updates.MergeV1([old.Type("kept while offline"), renewed.Type("b")]));
    }

    [Fact]
    public async Task What_the_document_has_already_may_be_sent_again_by_anybody_together_with_his_own()
    {
        await using var host = await CollabTestHost.StartAsync();
        var (ada, ben) = (await JoinedAsync(host, "ada"), await JoinedAsync(host, "ben"));
        Typist hers = new(1), his = new(2);
        var whole = hers.Type("hers");
        await ada.PushAsync("d", whole);

        await ben.PushAsync("d", whole);
        await ben.PushAsync("d", Updates.MergeV1([whole, his.Type("his")]));
        var forged = ben.PushAsync("d", Updates.MergeV1([whole, his.Type("more"), hers.Type("forged")]));

        Assert.Equal("invalid_update", await TestClient.CodeOfAsync(forged));
        var synced = await ben.SyncAsync("d", StateVector.Empty.ToArray());
        Assert.Equal((4u, 3u), (hers.Read(synced.Update), his.Read(synced.Update)));
    }

    [Fact]
    public async Task Of_many_who_claim_a_client_id_at_once_one_gets_it()
    {
        await using var host = await CollabTestHost.StartAsync();
        var clients = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => JoinedAsync(host, $"user{i}")));
        var update = new Typist(1).Type("first");

        // Each with a struct of its own, so that nobody's is known already.
        var codes = await Task.WhenAll(clients.Select((client, i) =>
            TestClient.CodeOfAsync(client.PushAsync("d", Updates.MergeV1([update, new Typist((ulong)i + 100).Type("own")])))));

        Assert.Contains("no error", codes);
        var log = host.Services.GetRequiredService<IRoomLog>();
        var claims = (await log.ReadAsync(new RoomKey(RoomKind.Writers, "d"), 0, 1000, long.MaxValue, default)).Entries;
        var owner = claims.First(claim => JsonSerializer.Deserialize<ulong[]>(claim.Data.Span)!.Contains(1ul)).Author;
        var typist = new Typist(1);
        typist.Type("first");
        var next = typist.Type(" and next");
        for (var i = 0; i < clients.Length; i++)
        {
            if ($"user{i}" != owner)
                Assert.Equal("invalid_update", await TestClient.CodeOfAsync(clients[i].PushAsync("d", next)));
        }

        await clients[int.Parse(owner![4..], CultureInfo.InvariantCulture)].PushAsync("d", next);
    }

    [Fact]
    public async Task A_client_id_under_which_somebody_shows_himself_is_his_before_he_writes()
    {
        await using var host = await CollabTestHost.StartAsync();
        var (ada, ben) = (await JoinedAsync(host, "ada"), await JoinedAsync(host, "ben"));
        await ada.ShowAsync("d", State(1, 1, """{"name":"Ada"}"""));
        var typist = new Typist(1);
        var update = typist.Type("first");

        Assert.Equal("invalid_update", await TestClient.CodeOfAsync(ben.PushAsync("d", update)));
        await ada.PushAsync("d", update);
    }

    [Fact]
    public async Task Nobody_shows_himself_under_the_client_id_of_another_user()
    {
        await using var host = await CollabTestHost.StartAsync();
        var (ada, ben) = (await JoinedAsync(host, "ada"), await JoinedAsync(host, "ben"));
        await ada.ShowAsync("d", State(1, 1, "\"Ada\""));
        await ada.PushAsync("d", new Typist(2).Type("hers"));

        await ben.ShowAsync("d", State(1, 9, "\"Ben\""), State(2, 9, "\"Ben\""), State(3, 1, "\"Ben\""));

        await ada.UntilAsync(client => !client.Awareness.IsEmpty);
        var present = AwarenessUpdate.Decode((await ada.JoinAsync("d")).Awareness).OrderBy(state => state.ClientId);
        Assert.Equal(["1 \"Ada\"", "3 \"Ben\""], present.Select(state => $"{state.ClientId} {Encoding.UTF8.GetString(state.Json.Span)}"));
    }

    [Fact]
    public async Task Whose_a_client_id_is_outlives_restarts_and_however_many_come_after()
    {
        using var folder = new TemporaryFolder();
        const int Writers = 600;
        await using (var host = await StartAsync(folder))
        {
            for (var batch = 0; batch < Writers; batch += 20)
            {
                await Task.WhenAll(Enumerable.Range(batch, 20).Select(async i =>
                {
                    await using var client = await JoinedAsync(host, $"user{i}");
                    await client.PushAsync("d", new Typist((ulong)i + 1).Type("a"));
                }));
            }
        }

        await using var restarted = await StartAsync(folder);
        var log = restarted.Services.GetRequiredService<IRoomLog>();
        var page = await log.ReadAsync(new RoomKey(RoomKind.Writers, "d"), 0, 10_000, long.MaxValue, default);
        Assert.Equal(Writers, page.Head);
        Assert.InRange(page.Entries.Count, 1, Writers / 2);
        var mallory = await JoinedAsync(restarted, "mallory");
        foreach (var i in (int[])[0, 300, Writers - 1])
        {
            var typist = new Typist((ulong)i + 1);
            typist.Type("a");
            var next = typist.Type("b");
            Assert.Equal("invalid_update", await TestClient.CodeOfAsync(mallory.PushAsync("d", next)));
            await (await JoinedAsync(restarted, $"user{i}")).PushAsync("d", next);
        }
    }

    [Fact]
    public async Task Where_it_is_not_enforced_anybody_writes_under_any()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Documents:EnforceClientIds", "false")]);
        var (ada, ben) = (await JoinedAsync(host, "ada"), await JoinedAsync(host, "ben"));
        var typist = new Typist(1);
        await ada.PushAsync("d", typist.Type("a"));

        await ben.PushAsync("d", typist.Type("b"));

        await ada.UntilAsync(client => !client.Updates.IsEmpty);
    }

    private static Task<CollabTestHost> StartAsync(TemporaryFolder folder) => CollabTestHost.StartAsync(
        [("Collab:DataDirectory", folder.Path)], collab => collab.AddSqliteStore());

    private static async Task<TestClient> JoinedAsync(CollabTestHost host, string user, string document = "d")
    {
        var client = await host.ConnectAsync(user);
        await client.JoinAsync(document);
        return client;
    }

    private static AwarenessState State(ulong client, ulong clock, string json) => new(client, clock, Encoding.UTF8.GetBytes(json));
}
