using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Collab.Protocol;
using Collab.Server.Channels;
using Collab.Testing;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Tests.Channels.Views;

/// <summary>Readers who get only those messages that their filter wants, at every door.</summary>
public sealed class FilteredReadingTests
{
    private const string Channel = "db:public.messages";

    public static TheoryData<bool> Wires => [true, false];

    [Theory, MemberData(nameof(Wires))]
    public async Task Three_readers_with_different_filters_get_each_the_rows_that_are_his(bool messagePack)
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = new ChannelClient(await host.ConnectAsync(messagePack: messagePack));
        await client.SubscribeAsync($"{Channel}?room_id=eq.7");
        await client.SubscribeAsync($"{Channel}?room_id=in.(8,9)");
        await client.SubscribeAsync(Channel);
        await using var stream = host.Follow($"/channels/{Channel}/events?filter=room_id=eq.7");
        await stream.UntilAsync(self => self.LastId.Length > 0);

        await InsertAsync(client, 0, 30);

        await client.UntilAsync(self => self.Received.Count == 30 + 3 + 6);
        await stream.UntilAsync(self => self.Events.Count == 3);
        Assert.Equal([7, 17, 27], IdsOf(client, $"{Channel}?room_id=eq.7"));
        Assert.Equal([8, 9, 18, 19, 28, 29], IdsOf(client, $"{Channel}?room_id=in.(8,9)"));
        Assert.Equal(Enumerable.Range(0, 30), IdsOf(client, Channel));
        Assert.Equal([7, 17, 27], stream.Events.Select(IdOf));
    }

    [Fact]
    public async Task Each_message_says_how_many_before_it_are_not_for_the_reader()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = new ChannelClient(await host.ConnectAsync());
        await InsertAsync(client, 0, 12);
        var subscribed = await client.SubscribeAsync($"{Channel}?room_id=in.(1,3,4)", rewind: 5);
        await InsertAsync(client, 12, 20);
        await client.UntilAsync(self => self.Received.Count == 2);

        Assert.True(subscribed.Recovered);
        Assert.Equal([(1, 1L), (3, 1L), (4, null), (11, 6L)], subscribed.Messages.Select(message => (IdOf(message), message.Skipped)));
        Assert.Equal([(13, 1L), (14, null)], client.Received.Select(received => (IdOf(received.Message), received.Message.Skipped)));
    }

    [Fact]
    public async Task The_last_so_many_are_those_that_the_reader_wants()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = new ChannelClient(await host.ConnectAsync());
        await InsertAsync(client, 0, 100);
        var subscribed = await client.SubscribeAsync($"{Channel}?room_id=eq.7", rewind: 3);
        Assert.Equal([77, 87, 97], subscribed.Messages.Select(IdOf));
        Assert.Equal(100, ChannelHubTests.OffsetOf(subscribed.Position));
        await using var stream = host.Follow($"/channels/{Channel}/events?filter=room_id=eq.7&rewind=3");
        await stream.UntilAsync(self => self.Events.Count == 3);
        Assert.Equal([77, 87, 97], stream.Events.Select(IdOf));
        // Also what follows the last of them need not be read again.
        await stream.UntilAsync(self => self.LastId.EndsWith("-100", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_history_is_read_through_in_both_directions()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Channels:PublishesPerSecond", "0")]);
        var client = new ChannelClient(await host.ConnectAsync());
        await PublishAsync(host, 12_000);
        var all = Enumerable.Range(0, 12).Select(i => i * 1000 + 7).ToArray();
        var filtered = $"{Channel}?n=in.({string.Join(',', all)})";

        var forwards = new List<int>();
        for (string? after = $"{(await client.HistoryAsync(filtered)).Position.Split('-')[0]}-0"; after is not null;)
        {
            var page = await client.HistoryAsync(filtered, after: after, limit: 5);
            forwards.AddRange(page.Messages.Select(NumberOf));
            after = page.Next;
        }

        var backwards = new List<int>();
        string? before = null;
        do
        {
            var page = await client.HistoryAsync(filtered, before: before, limit: 5);
            backwards.InsertRange(0, page.Messages.Select(NumberOf));
            before = page.Next;
        }
        while (before is not null);

        Assert.Equal(all, forwards);
        Assert.Equal(all, backwards);
        // What nobody wants is looked through part by part.
        var none = await client.HistoryAsync($"{Channel}?n=eq.-1");
        Assert.Empty(none.Messages);
        Assert.NotNull(none.Next);
        Assert.Null((await client.HistoryAsync($"{Channel}?n=eq.-1", before: none.Next)).Next);
    }

    [Fact]
    public async Task Polls_answer_when_something_is_for_the_reader()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = new ChannelClient(await host.ConnectAsync());
        await InsertAsync(client, 0, 10);
        using var first = await host.GetAsync($"/channels/{Channel}/messages?filter=room_id=eq.7&wait=0");
        var answer = await first.JsonAsync();
        Assert.Equal([7], answer.GetProperty("messages").EnumerateArray().Select(message => IdOf(message.GetProperty("data"))));
        Assert.EndsWith("-10", answer.GetProperty("position").GetString(), StringComparison.Ordinal);

        var waiting = host.GetAsync($"/channels/{Channel}/messages?filter=room_id=eq.7&filter=id=gt.20&wait=30&after={answer.GetProperty("position")}");
        await InsertAsync(client, 10, 28);
        using var second = await waiting;
        answer = await second.JsonAsync();
        var message = Assert.Single(answer.GetProperty("messages").EnumerateArray());
        Assert.Equal(27, IdOf(message.GetProperty("data")));
        Assert.True(answer.GetProperty("recovered").GetBoolean());
    }

    [Fact]
    public async Task An_answer_that_would_be_the_same_is_told_by_a_tag_of_its_filter()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = new ChannelClient(await host.ConnectAsync());
        await InsertAsync(client, 0, 10);
        var path = $"/channels/{Channel}/messages?wait=0&filter=";
        using var seven = await host.GetAsync(path + "room_id=eq.7");
        using var eight = await host.GetAsync(path + "room_id=eq.8");
        Assert.NotEqual(seven.Headers.ETag, eight.Headers.ETag);
        using var again = await host.GetAsync(path + "room_id=eq.7", ifNoneMatch: $"{seven.Headers.ETag}");
        using var other = await host.GetAsync(path + "room_id=eq.8", ifNoneMatch: $"{seven.Headers.ETag}");
        Assert.Equal((HttpStatusCode.NotModified, HttpStatusCode.OK), (again.StatusCode, other.StatusCode));
    }

    [Fact]
    public async Task A_stream_that_is_pulled_gives_the_readers_messages_alone()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = new ChannelClient(await host.ConnectAsync());
        await InsertAsync(client, 0, 10);
        var seen = new List<int>();
        await foreach (var message in client.Client.Connection.StreamAsync<ChannelMessage>(
            "StreamChannel", $"{Channel}?room_id=eq.7", new SubscribeOptions { Rewind = 10 }))
        {
            seen.Add(IdOf(message));
            if (seen.Count == 1)
                await InsertAsync(client, 10, 40);
            if (seen.Count == 4)
                break;
        }

        Assert.Equal([7, 17, 27, 37], seen);
    }

    [Fact]
    public async Task Of_many_channels_on_one_stream_each_may_have_a_filter()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Channels:RetryMilliseconds", "100")]);
        var client = new ChannelClient(await host.ConnectAsync());
        var filtered = $"{Channel}?room_id=eq.7&name=neq.\"a&b\"";
        await using var stream = host.Follow($"/events?channel=news&channel={Uri.EscapeDataString(filtered)}");
        await stream.UntilAsync(self => self.LastId.Length > 0);
        await InsertAsync(client, 0, 10, name: "x");
        await client.PublishAsync("news", "headline", new { room_id = 8 });
        await stream.UntilAsync(self => self.Events.Count == 2);
        stream.Cut();
        await InsertAsync(client, 10, 20, name: "x");
        await InsertAsync(client, 20, 30, name: "a&b");
        await client.PublishAsync("news", "headline", new { room_id = 8 });
        await stream.UntilAsync(self => self.Events.Count == 4);

        var names = stream.Events.Select(one => JsonDocument.Parse(one.Data).RootElement.GetProperty("channel").GetString()!).ToArray();
        Assert.Equal([filtered, filtered, "news", "news"], names.Order(StringComparer.Ordinal));
        Assert.Equal([7, 17], stream.Events.Where(one => one.Event == "insert").Select(IdOf));
    }

    [Fact]
    public async Task One_for_whom_nothing_was_comes_back_after_the_history_has_moved_on_and_has_lost_nothing()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Channels:Default:HistoryMessages", "20"), ("Collab:Channels:RetryMilliseconds", "100")]);
        var client = new ChannelClient(await host.ConnectAsync());
        var advanced = new ConcurrentQueue<string>();
        client.Client.Connection.On<string, string>(HubContract.ChannelAdvanced, (_, position) => advanced.Enqueue(position));
        await client.SubscribeAsync($"{Channel}?room_id=eq.7");
        await using var stream = host.Follow($"/channels/{Channel}/events?filter=room_id=eq.7");
        await stream.UntilAsync(self => self.LastId.Length > 0);
        for (var i = 0; i < 100; i++)
            await InsertAsync(client, 1, 2);
        await stream.UntilAsync(self => self.LastId.EndsWith("-100", StringComparison.Ordinal));
        stream.Cut();
        await stream.UntilAsync(self => self.Opened == 2);
        await InsertAsync(client, 7, 8);
        await stream.UntilAsync(self => !self.Events.IsEmpty);
        Assert.Equal(7, IdOf(Assert.Single(stream.Events)));

        await client.UntilAsync(self => self.Received.Count == 1);
        var again = await client.SubscribeAsync($"{Channel}?room_id=eq.7", after: advanced.Last());
        Assert.True(again.Recovered);
        Assert.Equal(100, ChannelHubTests.OffsetOf(advanced.Last()));
    }

    [Fact]
    public async Task Under_load_each_reader_gets_exactly_his_messages_however_slow_he_is_and_however_often_he_is_cut()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Channels:RetryMilliseconds", "100"), ("Collab:Fanout:OutboxBytes", "16384")]);
        var writer = new ChannelClient(await host.ConnectAsync());
        const int Count = 6000;
        EventSourceReader[] streams =
        [
            .. Enumerable.Range(0, 5).Select(i => host.Follow($"/channels/{Channel}/events?filter=k=eq.{i}")),
            host.Follow($"/channels/{Channel}/events?filter=k=in.(0,1)&filter=n=gte.3000"),
        ];
        var hub = new ChannelClient(await host.ConnectAsync("ben"));
        var advanced = new ConcurrentQueue<string>();
        hub.Client.Connection.On<string, string>(HubContract.ChannelAdvanced, (_, position) => advanced.Enqueue(position));
        await hub.SubscribeAsync($"{Channel}?k=eq.3");
        foreach (var stream in streams)
            await stream.UntilAsync(self => self.LastId.Length > 0);

        var publishing = Task.WhenAll(Enumerable.Range(0, 4).Select(async part =>
        {
            for (var i = part; i < Count; i += 40)
                await Task.WhenAll(Enumerable.Range(0, 10).Select(j => i + j * 4).Select(n => writer.PublishAsync(Channel, "n", new { n, k = n % 50, text = new string('x', 300) })));
        }));
        while (!publishing.IsCompleted)
        {
            await Task.WhenAny(publishing, Task.Delay(100));
            foreach (var stream in streams.Skip(3))
                stream.Cut();
        }

        await publishing;
        for (var i = 0; i < 5; i++)
        {
            await streams[i].UntilAsync(self => self.Events.Count >= Count / 50);
            Assert.Equal(Enumerable.Range(0, Count).Where(n => n % 50 == i), streams[i].Events.Select(Number).Order());
            Assert.Equal(streams[i].Events.Select(one => Offset(one.Id)).Order(), streams[i].Events.Select(one => Offset(one.Id)));
        }

        await streams[5].UntilAsync(self => self.Events.Count >= Count / 50);
        Assert.Equal(Enumerable.Range(3000, 3000).Where(n => n % 50 < 2), streams[5].Events.Select(Number).Order());
        await hub.UntilAsync(self => self.Received.Count >= Count / 50);
        Assert.Equal(Enumerable.Range(0, Count).Where(n => n % 50 == 3), hub.Received.Select(received => NumberOf(received.Message)).Order());
        // What is left out is counted, so a reader sees that nothing is lost.
        var told = 0L;
        var positions = advanced.Select(ChannelHubTests.OffsetOf).ToHashSet();
        foreach (var (_, message) in hub.Received)
        {
            var offset = ChannelHubTests.OffsetOf(message.Position);
            var before = offset - (message.Skipped ?? 0) - 1;
            Assert.True(before == told || positions.Contains(before), $"{offset} follows {before}, {told} came last");
            told = offset;
        }

        foreach (var stream in streams)
            await stream.DisposeAsync();

        static int Number((string Id, string Event, string Data) one) => JsonDocument.Parse(one.Data).RootElement.GetProperty("data").GetProperty("n").GetInt32();
        static long Offset(string id) => ChannelHubTests.OffsetOf(id);
    }

    [Fact]
    public async Task Readers_with_a_filter_who_are_slow_get_what_their_namespace_says()
    {
        await using var host = await CollabTestHost.StartAsync(
            [("Collab:Channels:Namespaces:0:Pattern", "prices"), ("Collab:Channels:Namespaces:0:SlowReaders", "Latest")]);
        var first = PositionAsync(await host.PostAsync("/channels/prices/messages", """{"event":"x","data":{}}"""));
        for (var batch = 0; batch < 3; batch++)
            await host.PostAsync("/channels/prices/messages", $"[{string.Join(',', Enumerable.Range(0, 1000).Select(i => $$"""{"event":"p{{i % 4}}","data":{"n":{{batch * 1000 + i}},"big":{{(i > 10 ? "true" : "false")}} } }"""))}]");

        await using var stream = host.Follow($"/channels/prices/events?filter=big=is.true&after={await first}");
        await stream.UntilAsync(self => self.LastId.EndsWith("-3001", StringComparison.Ordinal));

        // A thousand in the first answer, and of the rest the newest of each name.
        Assert.Equal(1004, stream.Events.Count);
        Assert.Equal(["p0", "p1", "p2", "p3"], stream.Events.TakeLast(4).Select(one => one.Event));
        var last = JsonDocument.Parse(stream.Events.Last().Data).RootElement;
        Assert.Equal((2999, (long?)null), (last.GetProperty("data").GetProperty("n").GetInt32(), last.TryGetProperty("skipped", out var skipped) ? skipped.GetInt64() : null));
    }

    [Fact]
    public async Task Faulty_filters_and_names_are_refused_at_every_door()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = new ChannelClient(await host.ConnectAsync());
        var connection = client.Client.Connection;
        string[] wrong = [$"{Channel}?", $"{Channel}?room_id", $"{Channel}?room_id=like.7", $"{Channel}?a=eq.1&"];
        foreach (var address in wrong)
        {
            await RefusedAsync(() => client.SubscribeAsync(address), ErrorCodes.InvalidArgument);
            await RefusedAsync(() => client.HistoryAsync(address), ErrorCodes.InvalidArgument);
            await RefusedAsync(() => connection.StreamAsync<ChannelMessage>("StreamChannel", address, null).FirstAsync().AsTask(), ErrorCodes.InvalidArgument);
            using var several = await host.GetAsync($"/events?channel={Uri.EscapeDataString(address)}");
            Assert.Equal((HttpStatusCode.BadRequest, ErrorCodes.InvalidArgument), (several.StatusCode, await several.CodeAsync()));
        }

        foreach (var path in (string[])["messages?wait=0&", "events?"])
        {
            using var faulty = await host.GetAsync($"/channels/c/{path}filter=nonsense");
            Assert.Equal((HttpStatusCode.BadRequest, ErrorCodes.InvalidArgument), (faulty.StatusCode, await faulty.CodeAsync()));
        }

        // A filter is for readers.
        await RefusedAsync(() => client.PublishAsync($"{Channel}?room_id=eq.7", "n", 1), ErrorCodes.InvalidName);
        await RefusedAsync(() => client.MembersAsync($"{Channel}?room_id=eq.7"), ErrorCodes.InvalidName);
        await RefusedAsync(() => client.SubscribeAsync($"{Channel}?room_id=eq.7", presence: true), ErrorCodes.InvalidName);
    }

    [Fact]
    public async Task Only_so_many_different_filters_are_followed_at_a_time()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Channels:MaxViews", "2")]);
        var client = new ChannelClient(await host.ConnectAsync());
        var other = new ChannelClient(await host.ConnectAsync("ben"));
        await client.SubscribeAsync("c?n=eq.1");
        await client.SubscribeAsync("c?n=eq.2");
        await other.SubscribeAsync("c?n=eq.2");
        await RefusedAsync(() => other.SubscribeAsync("c?n=eq.3"), ErrorCodes.TooMany);
        await other.SubscribeAsync("c");
        await client.UnsubscribeAsync("c?n=eq.1");
        await other.SubscribeAsync("c?n=eq.3");
        await client.PublishAsync("c", "n", new { n = 3 });
        await other.UntilAsync(self => self.Received.Count == 2);
        Assert.Equal(["c", "c?n=eq.3"], other.Received.Select(received => received.Channel).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Nobody_follows_what_he_has_left()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = new ChannelClient(await host.ConnectAsync());
        await client.SubscribeAsync("c?n=eq.1");
        await client.SubscribeAsync("c?n=gte.1");
        await client.UnsubscribeAsync("c?n=eq.1");
        await client.PublishAsync("c", "n", new { n = 1 });
        await client.UntilAsync(self => !self.Received.IsEmpty);
        Assert.Equal("c?n=gte.1", Assert.Single(client.Received).Channel);
        await client.UnsubscribeAsync("c?n=gte.1");
        await client.PublishAsync("c", "n", new { n = 1 });
        Assert.Equal(0, host.Services.GetRequiredService<ChannelRooms>().Find("c")!.Views.Count);
    }

    [Fact]
    public async Task A_right_that_is_taken_away_ends_subscriptions_with_a_filter_too()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = new ChannelClient(await host.ConnectAsync("eve"));
        await client.SubscribeAsync("c?n=eq.1");
        using var revoked = await host.PostAsync("/admin/revocations", """{ "user": "eve", "channel": "c" }""", grants: """{ "admin": true }""");
        revoked.EnsureSuccessStatusCode();
        await client.UntilAsync(self => !self.Closed.IsEmpty);
        Assert.Equal(("c?n=eq.1", ChannelCloseReasons.Forbidden), client.Closed.Single());
        await RefusedAsync(() => client.SubscribeAsync("c?n=eq.1"), ErrorCodes.Forbidden);
    }

    private static async Task RefusedAsync(Func<Task> call, string code)
    {
        var refusal = await Assert.ThrowsAsync<HubException>(call);
        Assert.Contains($"{code}: ", refusal.Message, StringComparison.Ordinal);
    }

    private static async Task InsertAsync(ChannelClient client, int from, int to, string? name = null)
    {
        for (var i = from; i < to; i++)
            await client.PublishAsync(Channel, "insert", new { schema = "public", table = "messages", record = new { id = i, room_id = i % 10, name }, oldRecord = (object?)null });
    }

    private static async Task PublishAsync(CollabTestHost host, int count)
    {
        for (var from = 0; from < count; from += 1000)
        {
            var messages = Enumerable.Range(from, 1000).Select(n => $$"""{"event":"n","data":{"n":{{n}} } }""");
            (await host.PostAsync($"/channels/{Channel}/messages", $"[{string.Join(',', messages)}]")).EnsureSuccessStatusCode();
        }
    }

    private static async Task<string> PositionAsync(HttpResponseMessage published) =>
        (await published.JsonAsync()).GetProperty("position").GetString()!;

    private static IEnumerable<int> IdsOf(ChannelClient client, string subscription) =>
        client.Received.Where(received => received.Channel == subscription).Select(received => IdOf(received.Message));

    private static int IdOf(ChannelMessage message) => IdOf(JsonElement.Parse(ChannelClient.JsonOf(message.Data)));

    private static int IdOf((string Id, string Event, string Data) one) => IdOf(JsonElement.Parse(one.Data).GetProperty("data"));

    private static int IdOf(JsonElement data) => data.GetProperty("record").GetProperty("id").GetInt32();

    private static int NumberOf(ChannelMessage message) => JsonElement.Parse(ChannelClient.JsonOf(message.Data)).GetProperty("n").GetInt32();
}
