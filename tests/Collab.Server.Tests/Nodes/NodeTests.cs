using System.Text.Json;
using Collab.Crdt;
using Collab.Protocol;
using Collab.Server.Nodes;
using Collab.Server.Rooms;
using Collab.Testing;
using Collab.Testing.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Tests.Nodes;

/// <summary>Several nodes with one store: whoever is where, everybody is in the same rooms, also when the backplane loses what is said.</summary>
public sealed class NodeTests : IAsyncLifetime
{
    private readonly InMemoryNodes _nodes = new();
    private CollabTestHost _a = null!;
    private CollabTestHost _b = null!;

    public async Task InitializeAsync() => (_a, _b) = (await StartAsync(), await StartAsync());

    public async Task DisposeAsync() => await _nodes.DisposeAsync();

    [Fact]
    public async Task An_edit_on_one_node_reaches_the_members_on_the_other()
    {
        var (ada, ben) = (await _a.ConnectAsync("ada"), await _b.ConnectAsync("ben"));
        await ada.JoinAsync("d");
        await ben.JoinAsync("d");
        var (typist, reader) = (new Typist(1), new Typist(1));

        var position = await ada.PushAsync("d", typist.Type("hello"));

        await ben.UntilReadAsync(reader, 5);
        Assert.Equal(position, ben.Updates.Single().Position);
        Assert.Empty(ada.Updates);
    }

    [Fact]
    public async Task Writers_on_all_nodes_and_readers_on_all_nodes_end_with_everything()
    {
        var writers = new List<(TestClient Client, Typist Typist)>();
        for (var i = 0; i < 6; i++)
        {
            var client = await (i % 2 == 0 ? _a : _b).ConnectAsync($"writer {i}");
            await client.JoinAsync("d");
            writers.Add((client, new Typist((ulong)i + 1)));
        }

        await Task.WhenAll(writers.Select(async writer =>
        {
            for (var i = 0; i < 100; i++)
                await writer.Client.PushAsync("d", writer.Typist.Type("a"));
        }));

        foreach (var (client, own) in writers)
        {
            foreach (var (_, typist) in writers.Where(writer => writer.Typist != own))
                await client.UntilReadAsync(new Typist(typist.ClientId), 100);
        }
    }

    [Fact]
    public async Task What_the_backplane_loses_is_delivered_nevertheless()
    {
        var (ada, ben) = (await _a.ConnectAsync("ada"), await _b.ConnectAsync("ben"));
        var (publisher, subscriber) = (new ChannelClient(ada), new ChannelClient(ben));
        await ada.JoinAsync("d");
        await ben.JoinAsync("d");
        await subscriber.SubscribeAsync("c");
        await using var stream = _b.Follow("/channels/c/events");
        await stream.UntilAsync(self => self.Opened == 1);
        _nodes.Network.IsLossy = true;

        await ada.PushAsync("d", new Typist(1).Type("lost"));
        for (var i = 0; i < 3; i++)
            await publisher.PublishAsync("c", "n", i);

        await ben.UntilReadAsync(new Typist(1), 4);
        await subscriber.UntilAsync(self => self.Received.Count == 3);
        Assert.Equal(["0", "1", "2"], subscriber.Data);
        await stream.UntilAsync(self => self.Events.Count == 3);
    }

    [Fact]
    public async Task One_with_a_filter_gets_what_is_his_from_every_node_also_what_the_backplane_loses()
    {
        var (here, there) = (new ChannelClient(await _a.ConnectAsync("ada")), new ChannelClient(await _b.ConnectAsync("ben")));
        await there.SubscribeAsync("c?n=gte.5");
        for (var i = 0; i < 10; i++)
            await here.PublishAsync("c", "n", new { n = i });
        await there.UntilAsync(self => self.Received.Count == 5);
        _nodes.Network.IsLossy = true;
        for (var i = 0; i < 10; i++)
            await here.PublishAsync("c", "n", new { n = i });
        await there.UntilAsync(self => self.Received.Count == 10);
        Assert.Equal([.. Enumerable.Range(5, 5), .. Enumerable.Range(5, 5)], there.Data.Select(data => JsonElement.Parse(data).GetProperty("n").GetInt32()));
    }

    [Fact]
    public async Task Messages_that_are_published_on_all_nodes_come_once_and_in_order_to_all_subscribers()
    {
        var subscribers = new List<ChannelClient>();
        foreach (var host in (CollabTestHost[])[_a, _b, _a, _b])
        {
            subscribers.Add(new ChannelClient(await host.ConnectAsync()));
            await subscribers[^1].SubscribeAsync("c");
        }

        await Task.WhenAll(subscribers.Select(async (publisher, i) =>
        {
            for (var n = 0; n < 100; n++)
            {
                // Now and then nothing is heard for a moment.
                _nodes.Network.IsLossy = i == 0 ? n % 20 > 15 : _nodes.Network.IsLossy;
                await publisher.PublishAsync("c", "n", $"{i}-{n}");
            }
        }));
        _nodes.Network.IsLossy = false;

        foreach (var subscriber in subscribers)
        {
            await subscriber.UntilAsync(self => self.Received.Count >= 400);
            Assert.Equal(
                Enumerable.Range(1, 400).Select(offset => (long)offset),
                subscriber.Received.Select(received => Position.TryParse(received.Message.Position, out var position) ? position.Offset : 0));
        }
    }

    [Fact]
    public async Task Who_shows_himself_on_one_node_is_seen_on_the_other_by_those_who_are_there_and_those_who_join()
    {
        var (ada, ben) = (await _a.ConnectAsync("ada"), await _b.ConnectAsync("ben"));
        await ada.JoinAsync("d");
        await ben.JoinAsync("d");
        await ada.ShowAsync("d", new AwarenessState(1, 1, """{"name":"Ada"}"""u8.ToArray()));
        await ben.UntilAsync(self => !self.Awareness.IsEmpty);
        var onThird = await StartAsync();
        await using (onThird)
        {
            var cleo = await onThird.ConnectAsync("cleo");
            await UntilAsync(async () => AwarenessUpdate.Decode((await cleo.JoinAsync("d")).Awareness) is [{ ClientId: 1 }]);

            await ada.Connection.StopAsync();

            await cleo.UntilAsync(IsGone);
            await ben.UntilAsync(IsGone);
        }

        static bool IsGone(TestClient client) => client.Awareness.Any(news => AwarenessUpdate.Decode(news.Awareness).Any(state => state.IsNull));
    }

    [Fact]
    public async Task Who_was_on_a_node_that_stops_is_gone_for_those_on_the_others()
    {
        var third = await StartAsync();
        var (ada, ben) = (await third.ConnectAsync("ada"), await _b.ConnectAsync("ben"));
        await ada.JoinAsync("d");
        await ben.JoinAsync("d");
        await ada.ShowAsync("d", new AwarenessState(1, 1, "{}"u8.ToArray()));
        await ben.UntilAsync(self => self.Awareness.Count == 1);

        await third.DisposeAsync();

        await ben.UntilAsync(self => self.Awareness.Any(news => AwarenessUpdate.Decode(news.Awareness).Any(state => state.IsNull)));
    }

    [Fact]
    public async Task Members_of_a_channel_are_those_on_all_nodes_and_a_user_on_two_of_them_is_one()
    {
        var watcher = new ChannelClient(await _a.ConnectAsync("watcher"));
        await watcher.SubscribeAsync("c", presence: true);
        var here = new ChannelClient(await _a.ConnectAsync("ada"));
        await here.SubscribeAsync("c", presence: "here");
        var there = new ChannelClient(await _b.ConnectAsync("ada"));

        await UntilAsync(async () =>
            (await there.SubscribeAsync("c", presence: "there")).Members.Select(member => member.UserId).Order().SequenceEqual(["ada", "watcher"]));

        await watcher.UntilAsync(self => self.Changes.Any(change => change.Change.Joined.Any(member => member.UserId == "ada")));
        // Until the first node has heard of the second tab, which is no news to members.
        await Task.Delay(500);
        await here.UnsubscribeAsync("c");
        await here.SubscribeAsync("other");
        Assert.Equal(["ada", "watcher"], (await watcher.MembersAsync("c")).Select(member => member.UserId).Order());
        Assert.DoesNotContain(watcher.Changes, change => change.Change.Left.Count > 0);
        await there.UnsubscribeAsync("c");
        await watcher.UntilAsync(self => self.Changes.Any(change => change.Change.Left.Any(member => member.UserId == "ada")));
    }

    [Fact]
    public async Task Members_can_be_asked_for_on_a_node_on_which_nobody_is_in_the_channel()
    {
        var ada = new ChannelClient(await _a.ConnectAsync("ada"));
        await ada.SubscribeAsync("c", presence: true);
        var elsewhere = new ChannelClient(await _b.ConnectAsync("ben"));

        await UntilAsync(async () => await elsewhere.MembersAsync("c") is [{ UserId: "ada" }]);
    }

    [Fact]
    public async Task A_session_that_is_opened_on_another_node_ends_the_connection_to_the_first()
    {
        var first = await _a.ConnectAsync("ada", session: "s");
        await first.JoinAsync("d");
        var ofAnother = await _a.ConnectAsync("ben", session: "s");
        await ofAnother.JoinAsync("d");

        await (await _b.ConnectAsync("ada", session: "s")).JoinAsync("d");

        await first.UntilAsync(self => self.IsClosed);
        Assert.Contains("replaced", first.ClosedBy!.Message, StringComparison.Ordinal);
        Assert.False(ofAnother.IsClosed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_revoked_on_one_node_is_revoked_on_all(bool isLossy)
    {
        var ada = await _b.ConnectAsync("ada");
        await ada.JoinAsync("d");
        _nodes.Network.IsLossy = isLossy;

        using var answer = await _a.PostAsync(
            "/admin/revocations", """{ "user": "ada" }""", authorization: TestAuthentication.Header("root", """{ "admin": true }"""));

        answer.EnsureSuccessStatusCode();
        await ada.UntilAsync(self => self.IsClosed);
        Assert.Equal([("d", "forbidden")], ada.ClosedDocuments);
    }

    [Fact]
    public async Task A_client_id_is_one_users_on_all_nodes()
    {
        var (ada, eve) = (await _a.ConnectAsync("ada"), await _b.ConnectAsync("eve"));
        await ada.JoinAsync("d");
        await eve.JoinAsync("d");
        await ada.PushAsync("d", new Typist(1).Type("mine"));

        Assert.Equal(ErrorCodes.InvalidUpdate, await TestClient.CodeOfAsync(eve.PushAsync("d", Forged())));

        static byte[] Forged()
        {
            var forger = new Typist(1);
            forger.Type("mine");
            return forger.Type("forged");
        }
    }

    /// <summary>Nodes are asked, and a busy machine may take longer to answer than who asks waits.</summary>
    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await condition())
            await Task.Delay(50, patience.Token);
    }

    private Task<CollabTestHost> StartAsync() =>
        _nodes.StartAsync(("Collab:Nodes:HealMilliseconds", "300"), ("Collab:Channels:PresenceGraceMilliseconds", "0"));
}
