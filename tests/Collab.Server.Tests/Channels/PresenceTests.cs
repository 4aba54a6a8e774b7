using Collab.Protocol;
using Collab.Server.Rooms;
using Collab.Testing;
using Collab.Testing.Proxies;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Tests.Channels;

/// <summary>Who is present in a channel.</summary>
public sealed class PresenceTests
{
    private static readonly (string, string)[] ShortGrace = [("Collab:Channels:PresenceGraceMilliseconds", "1500")];

    [Fact]
    public async Task Who_comes_sees_who_is_there_and_is_seen()
    {
        await using var host = await CollabTestHost.StartAsync();
        var ada = await ConnectAsync(host, "ada");
        var ben = await ConnectAsync(host, "ben", messagePack: true);

        var first = await ada.SubscribeAsync("c", presence: new { color = "red" });
        var second = await ben.SubscribeAsync("c", presence: true);

        Assert.Equal(["ada"], first.Members.Select(member => member.UserId));
        Assert.Equal(["ada", "ben"], second.Members.Select(member => member.UserId).Order());
        await ada.UntilAsync(self => !self.Changes.IsEmpty);
        var joined = Assert.Single(ada.Changes.Single().Change.Joined);
        Assert.Equal(("ben", ben.Client.Connection.ConnectionId, "true"), (joined.UserId, joined.ConnectionId, ChannelClient.JsonOf(joined.Data)));
        Assert.Empty(ben.Changes);
        var members = await ben.MembersAsync("c");
        Assert.Equal("""{"color":"red"}""", ChannelClient.JsonOf(members.Single(member => member.UserId == "ada").Data));
        var overHttp = (await (await host.GetAsync("/channels/c/members")).JsonAsync()).GetProperty("members");
        Assert.Equal(["ada", "ben"], overHttp.EnumerateArray().Select(member => member.GetProperty("userId").GetString()).Order());
    }

    [Fact]
    public async Task Who_does_not_ask_for_it_is_not_seen_and_not_told()
    {
        await using var host = await CollabTestHost.StartAsync();
        var ada = await ConnectAsync(host, "ada");
        var ben = await ConnectAsync(host, "ben");
        Assert.Empty((await ben.SubscribeAsync("c")).Members);
        await ada.SubscribeAsync("c", presence: true);
        Assert.Equal(["ada"], (await ben.MembersAsync("c")).Select(member => member.UserId));
        Assert.Empty((await ben.SubscribeAsync("c", presence: false)).Members);
        Assert.Empty(ben.Changes);
        Assert.Empty(await ben.MembersAsync("nowhere"));
    }

    [Fact]
    public async Task A_user_with_two_tabs_joins_once_and_leaves_once()
    {
        await using var host = await CollabTestHost.StartAsync(ShortGrace);
        var watcher = await ConnectAsync(host, "watcher");
        await watcher.SubscribeAsync("c", presence: true);
        var one = await ConnectAsync(host, "ada");
        var two = await ConnectAsync(host, "ada");
        await one.SubscribeAsync("c", presence: true);
        await two.SubscribeAsync("c", presence: true);
        await one.UnsubscribeAsync("c");
        await two.UnsubscribeAsync("c");
        await watcher.UntilAsync(self => self.Changes.Any(change => change.Change.Left.Count > 0));
        Assert.Equal(["+ada", "-ada"], watcher.Changes.Select(Show));
    }

    [Fact]
    public async Task A_quick_reload_shows_nothing()
    {
        await using var host = await CollabTestHost.StartAsync(ShortGrace);
        var watcher = await ConnectAsync(host, "watcher");
        await watcher.SubscribeAsync("c", presence: true);
        var before = await ConnectAsync(host, "ada");
        await before.SubscribeAsync("c", presence: true);
        await before.Client.Connection.StopAsync();
        var after = await ConnectAsync(host, "ada");
        await after.SubscribeAsync("c", presence: true);
        await Task.Delay(3500);
        Assert.Equal(["+ada"], watcher.Changes.Select(Show));
        Assert.Equal(after.Client.Connection.ConnectionId, (await watcher.MembersAsync("c")).Single(member => member.UserId == "ada").ConnectionId);
    }

    [Fact]
    public async Task Who_does_not_come_back_has_left_after_a_while()
    {
        await using var host = await CollabTestHost.StartAsync(ShortGrace);
        var watcher = await ConnectAsync(host, "watcher");
        await watcher.SubscribeAsync("c", presence: true);
        var ada = await ConnectAsync(host, "ada");
        await ada.SubscribeAsync("c", presence: true);
        await ada.Client.Connection.StopAsync();
        Assert.Contains("ada", (await watcher.MembersAsync("c")).Select(member => member.UserId));
        await watcher.UntilAsync(self => self.Changes.Count == 2);
        Assert.Equal(["+ada", "-ada"], watcher.Changes.Select(Show));
    }

    [Fact]
    public async Task A_connection_that_ends_while_it_subscribes_leaves_nobody_behind()
    {
        var log = new GatedRoomLog();
        var gate = new TaskCompletionSource();
        await using var host = await CollabTestHost.StartAsync(ShortGrace, collab => collab.Services.AddSingleton<IRoomLog>(log));
        var watcher = await ConnectAsync(host, "watcher");
        log.Gate = gate.Task;
        var ada = await ConnectAsync(host, "ada");
        var subscribing = ada.SubscribeAsync("c", presence: true);
        await log.Reached.Task;
        await ada.Client.Connection.StopAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => subscribing);
        await Task.Delay(500);
        gate.SetResult();
        await Task.Delay(3500);
        Assert.Empty(await watcher.MembersAsync("c"));
    }

    [Fact]
    public async Task Who_subscribes_again_without_presence_has_left()
    {
        await using var host = await CollabTestHost.StartAsync();
        var ada = await ConnectAsync(host, "ada");
        await ada.SubscribeAsync("c", presence: true);
        await ada.SubscribeAsync("c");
        Assert.Empty(await ada.MembersAsync("c"));
    }

    [Fact]
    public async Task A_client_that_crashes_has_left_after_a_while()
    {
        await using var host = await CollabTestHost.StartAsync(ShortGrace);
        await using var relay = new TcpRelay(new Uri(host.Url).Port);
        var watcher = await ConnectAsync(host, "watcher");
        await watcher.SubscribeAsync("c", presence: true);
        await using var client = TestClient.Create(
            relay.Url, TestAuthentication.Header("ada", CollabTestHost.Everything), HttpTransportType.WebSockets, messagePack: false);
        await client.Connection.StartAsync();
        await new ChannelClient(client).SubscribeAsync("c", presence: true);
        relay.CutAll();
        await watcher.UntilAsync(self => self.Changes.Count == 2);
        Assert.Equal(["+ada", "-ada"], watcher.Changes.Select(Show));
    }

    [Fact]
    public async Task Whoever_shows_something_new_is_told_of_once_more()
    {
        await using var host = await CollabTestHost.StartAsync();
        var watcher = await ConnectAsync(host, "watcher");
        await watcher.SubscribeAsync("c", presence: true);
        var ada = await ConnectAsync(host, "ada");
        await ada.SubscribeAsync("c", presence: "here");
        await ada.SubscribeAsync("c", presence: "here");
        await ada.SubscribeAsync("c", presence: "away");
        await watcher.UntilAsync(self => self.Changes.Count == 2);
        Assert.Equal(["\"here\"", "\"away\""], watcher.Changes.Select(change => ChannelClient.JsonOf(change.Change.Joined.Single().Data)));
    }

    [Fact]
    public async Task What_many_saw_of_each_other_adds_up_to_who_is_there()
    {
        await using var host = await CollabTestHost.StartAsync(ShortGrace);
        var clients = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => ConnectAsync(host, $"user{i}", messagePack: i % 2 == 0)));
        var seen = new HashSet<string>[clients.Length];
        await Task.WhenAll(clients.Select(async (client, i) =>
            seen[i] = [.. (await client.SubscribeAsync("c", presence: i)).Members.Select(member => member.UserId!)]));
        await Task.WhenAll(clients.Take(10).Select(client => client.UnsubscribeAsync("c")));

        string[] there = [.. Enumerable.Range(10, 20).Select(i => $"user{i}").Order()];
        for (var i = 10; i < clients.Length; i++)
        {
            await clients[i].UntilAsync(self => Sum(seen[i], self).Order().SequenceEqual(there));
            foreach (var change in clients[i].Changes)
                Assert.Empty(change.Change.Joined.Select(member => member.UserId).Intersect(change.Change.Left.Select(member => member.UserId)));
        }

        static IEnumerable<string> Sum(HashSet<string> start, ChannelClient client)
        {
            var present = new HashSet<string>(start);
            foreach (var (_, change) in client.Changes)
            {
                present.UnionWith(change.Joined.Select(member => member.UserId!));
                present.ExceptWith(change.Left.Select(member => member.UserId!));
            }

            return present;
        }
    }

    private static async Task<ChannelClient> ConnectAsync(CollabTestHost host, string user, bool messagePack = false) =>
        new(await host.ConnectAsync(user, messagePack: messagePack));

    private static string Show((string Channel, MembersChanged Change) change) => string.Join(
        ' ', change.Change.Joined.Select(member => "+" + member.UserId).Concat(change.Change.Left.Select(member => "-" + member.UserId)));
}
