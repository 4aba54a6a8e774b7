using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Collab.Protocol;
using Collab.Server.Rooms;
using Collab.Testing;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Tests.Channels;

/// <summary>The channels' half of the hub, over every transport and both hub protocols.</summary>
public sealed class ChannelHubTests
{
    public static TheoryData<HttpTransportType, bool> Wires => Documents.DocumentHubTests.Wires;

    [Theory, MemberData(nameof(Wires))]
    public async Task A_message_reaches_the_subscribers_with_all_that_belongs_to_it(HttpTransportType transport, bool messagePack)
    {
        await using var host = await CollabTestHost.StartAsync();
        var writer = new ChannelClient(await host.ConnectAsync("ada", transport: transport, messagePack: messagePack));
        var reader = new ChannelClient(await host.ConnectAsync("ben", transport: transport, messagePack: messagePack));
        await reader.SubscribeAsync("news:today");

        var before = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        var position = await writer.PublishAsync("news:today", "headline", new { text = "Håll i dig\n\"så\"", n = 12, list = new object?[] { 1.5, null, true } });
        var keyed = await writer.PublishAsync("news:today", "headline", "again", "key-1");

        await reader.UntilAsync(client => client.Received.Count == 2);
        var (channel, message) = reader.Received.First();
        Assert.Equal("news:today", channel);
        Assert.Equal((position, position, "headline", "ada", (long?)null), (message.Position, message.Id, message.Event, message.Publisher, message.Skipped));
        Assert.Equal(ChannelClient.JsonOf(new { text = "Håll i dig\n\"så\"", n = 12, list = new object?[] { 1.5, null, true } }), ChannelClient.JsonOf(message.Data));
        Assert.InRange(message.PublishedAt, before - 1, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        Assert.Equal((keyed, "key-1"), (reader.Received.Last().Message.Position, reader.Received.Last().Message.Id));
    }

    [Theory, MemberData(nameof(Wires))]
    public async Task Last_arguments_may_be_left_out(HttpTransportType transport, bool messagePack)
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = await host.ConnectAsync(transport: transport, messagePack: messagePack);
        Assert.Empty((await client.Connection.InvokeAsync<SubscribedChannel>("Subscribe", "c")).Messages);
        var position = await client.Connection.InvokeAsync<string>("Publish", "c", "e", "data");
        var history = await client.Connection.InvokeAsync<ChannelHistory>("GetHistory", "c");
        Assert.Equal(position, Assert.Single(history.Messages).Position);
        await foreach (var message in client.Connection.StreamAsync<ChannelMessage>("StreamChannel", "c", new SubscribeOptions { Rewind = 1 }))
        {
            Assert.Equal(position, message.Position);
            break;
        }
    }

    // The lengths at which the header of a WebSocket's frame grows lie between these.
    [Theory, MemberData(nameof(Wires))]
    public async Task Messages_of_any_length_arrive_whole(HttpTransportType transport, bool messagePack)
    {
        await using var host = await CollabTestHost.StartAsync();
        var reader = new ChannelClient(await host.ConnectAsync(transport: transport, messagePack: messagePack));
        var writer = new ChannelClient(await host.ConnectAsync());
        await reader.SubscribeAsync("c");
        string[] texts = [.. new[] { 0, 1, 2000, 62_000, 65_000 }.Select(length => new string('x', length))];
        foreach (var text in texts)
            await writer.PublishAsync("c", "e", text);
        await reader.UntilAsync(client => client.Received.Count == texts.Length);
        Assert.Equal(texts, reader.Data.Select(data => JsonSerializer.Deserialize<string>(data)!));
        // Answers go past the outbox: one of more than 64 KiB.
        Assert.Equal(texts.Length, (await reader.HistoryAsync("c")).Messages.Count);
    }

    [Fact]
    public async Task Positions_are_dense_and_in_the_order_of_publishing()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = new ChannelClient(await host.ConnectAsync());
        await client.SubscribeAsync("c");
        var positions = new List<string>();
        for (var i = 0; i < 50; i++)
            positions.Add(await client.PublishAsync("c", "n", i));
        await client.UntilAsync(self => self.Received.Count == 50);
        Assert.Equal(positions, client.Received.Select(received => received.Message.Position));
        Assert.Equal(Enumerable.Range(1, 50).Select(i => (long)i), positions.Select(OffsetOf));
        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"{i}"), client.Data);
    }

    [Fact]
    public async Task Who_subscribes_gets_nothing_old_unless_he_asks()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = new ChannelClient(await host.ConnectAsync());
        string[] positions = [await client.PublishAsync("c", "n", 1), await client.PublishAsync("c", "n", 2), await client.PublishAsync("c", "n", 3)];

        var now = await client.SubscribeAsync("c");
        Assert.Equal((positions[2], true, 0), (now.Position, now.Recovered, now.Messages.Count));
        var rewound = await client.SubscribeAsync("c", rewind: 2);
        Assert.Equal((positions[2], true), (rewound.Position, rewound.Recovered));
        Assert.Equal(positions[1..], rewound.Messages.Select(message => message.Position));
        var resumed = await client.SubscribeAsync("c", after: positions[0]);
        Assert.True(resumed.Recovered);
        Assert.Equal(positions[1..], resumed.Messages.Select(message => message.Position));
        var all = await client.SubscribeAsync("c", rewind: 1000);
        Assert.Equal(positions, all.Messages.Select(message => message.Position));
    }

    [Theory, MemberData(nameof(Wires))]
    public async Task Between_what_was_missed_and_what_comes_live_nothing_is_lost_doubled_or_out_of_order(
        HttpTransportType transport, bool messagePack)
    {
        await using var host = await CollabTestHost.StartAsync();
        var writer = new ChannelClient(await host.ConnectAsync("ada"));
        var first = await writer.PublishAsync("c", "n", -1);
        const int Count = 3000;
        var publishing = Task.Run(async () =>
        {
            for (var i = 0; i < Count; i += 20)
                await Task.WhenAll(Enumerable.Range(i, 20).Select(n => writer.PublishAsync("c", "n", n)));
        });

        await Task.WhenAll(Enumerable.Range(0, 6).Select(async reader =>
        {
            await Task.Delay(reader * 40);
            var client = new ChannelClient(await host.ConnectAsync("ben", transport: transport, messagePack: messagePack));
            var subscribed = await client.SubscribeAsync("c", after: first);
            Assert.True(subscribed.Recovered);
            var missed = subscribed.Messages.Select(message => OffsetOf(message.Position)).ToArray();
            await client.UntilAsync(self => missed.Length + self.Received.Count >= Count);
            Assert.Equal(
                Enumerable.Range(2, Count).Select(offset => (long)offset),
                missed.Concat(client.Received.Select(received => OffsetOf(received.Message.Position))));
        }));
        await publishing;
    }

    [Fact]
    public async Task The_answer_comes_before_what_is_live()
    {
        await using var host = await CollabTestHost.StartAsync();
        var writer = new ChannelClient(await host.ConnectAsync("ada"));
        using var stop = new CancellationTokenSource();
        var publishing = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
                await writer.PublishAsync("c", "n", 0);
        });

        for (var i = 0; i < 30; i++)
        {
            // On the wire, as a client's own queues could put it right.
            using var socket = new ClientWebSocket();
            socket.Options.SetRequestHeader("Authorization", TestAuthentication.Header("ben", CollabTestHost.Everything));
            await socket.ConnectAsync(new Uri(host.Url.Replace("http", "ws", StringComparison.Ordinal) + HubContract.Path), default);
            await socket.SendAsync("{\"protocol\":\"json\",\"version\":1}\u001e"u8.ToArray(), WebSocketMessageType.Text, true, default);
            await socket.SendAsync("{\"type\":1,\"invocationId\":\"1\",\"target\":\"Subscribe\",\"arguments\":[\"c\"]}\u001e"u8.ToArray(), WebSocketMessageType.Text, true, default);
            var received = "";
            while (!received.Contains("\"type\":3", StringComparison.Ordinal) || !received.Contains("MessageReceived", StringComparison.Ordinal))
            {
                var buffer = new byte[64 * 1024];
                var read = await socket.ReceiveAsync(buffer, default).WaitAsync(TimeSpan.FromSeconds(20));
                received += Encoding.UTF8.GetString(buffer, 0, read.Count);
            }

            Assert.True(
                received.IndexOf("\"type\":3", StringComparison.Ordinal) < received.IndexOf("MessageReceived", StringComparison.Ordinal), received);
        }

        await stop.CancelAsync();
        await publishing;
    }

    [Fact]
    public async Task A_key_publishes_once_and_gives_the_first_position()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = new ChannelClient(await host.ConnectAsync());
        await client.SubscribeAsync("c");
        var first = await client.PublishAsync("c", "n", 1, "k");
        Assert.Equal(first, await client.PublishAsync("c", "n", 1, "k"));
        var at = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => client.PublishAsync("c", "n", 2, "k2")));
        Assert.Single(at.Distinct());
        await client.PublishAsync("c", "n", 3);
        await client.UntilAsync(self => self.Received.Count >= 3);
        Assert.Equal(["1", "2", "3"], client.Data);
    }

    [Fact]
    public async Task A_position_of_another_log_is_not_recovered()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = new ChannelClient(await host.ConnectAsync());
        var position = await client.PublishAsync("c", "n", 1);
        var foreign = await client.SubscribeAsync("c", after: "0123456789ab-7");
        Assert.False(foreign.Recovered);
        Assert.Equal([position], foreign.Messages.Select(message => message.Position));
        Assert.False((await client.SubscribeAsync("c", after: position[..^1] + "9")).Recovered);
        Assert.Equal(ErrorCodes.PositionLost, await TestClient.CodeOfAsync(client.HistoryAsync("c", after: "0123456789ab-7")));
    }

    [Fact]
    public async Task A_history_that_was_trimmed_meanwhile_is_told()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Channels:Default:HistoryMessages", "10")]);
        var client = new ChannelClient(await host.ConnectAsync());
        var first = await client.PublishAsync("c", "n", 0);
        string last = first;
        for (var i = 1; i < 30; i++)
            last = await client.PublishAsync("c", "n", i);

        var subscribed = await client.SubscribeAsync("c", after: first);
        Assert.False(subscribed.Recovered);
        Assert.Equal(Enumerable.Range(20, 10).Select(i => $"{i}"), subscribed.Messages.Select(message => ChannelClient.JsonOf(message.Data)));
        Assert.Equal(last, subscribed.Position);
        Assert.True((await client.SubscribeAsync("c", after: subscribed.Messages[0].Position)).Recovered);
        Assert.Equal(10, (await client.SubscribeAsync("c", rewind: 1000)).Messages.Count);
        Assert.Equal(ErrorCodes.PositionLost, await TestClient.CodeOfAsync(client.HistoryAsync("c", after: first)));
    }

    [Fact]
    public async Task The_history_is_read_forwards_and_backwards()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = new ChannelClient(await host.ConnectAsync());
        var positions = new List<string>();
        for (var i = 0; i < 250; i++)
            positions.Add(await client.PublishAsync("c", "n", i));

        var newest = await client.HistoryAsync("c");
        Assert.Equal(positions[^100..], newest.Messages.Select(message => message.Position));
        Assert.Equal(positions[^1], newest.Position);
        var older = await client.HistoryAsync("c", before: newest.Messages[0].Position, limit: 1000);
        Assert.Equal(positions[..150], older.Messages.Select(message => message.Position));
        var after = await client.HistoryAsync("c", after: positions[9], limit: 5);
        Assert.Equal(positions[10..15], after.Messages.Select(message => message.Position));
        Assert.Empty((await client.HistoryAsync("c", after: positions[^1])).Messages);
        Assert.Empty((await client.HistoryAsync("c", before: positions[0])).Messages);
    }

    [Fact]
    public async Task Who_has_unsubscribed_gets_nothing_more()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = new ChannelClient(await host.ConnectAsync());
        await client.SubscribeAsync("a");
        await client.SubscribeAsync("b");
        await client.UnsubscribeAsync("a");
        await client.UnsubscribeAsync("a");
        await client.PublishAsync("a", "n", 1);
        await client.PublishAsync("b", "n", 2);
        await client.UntilAsync(self => !self.Received.IsEmpty);
        Assert.Equal("b", Assert.Single(client.Received).Channel);
    }

    [Fact]
    public async Task A_channel_that_is_left_out_is_no_channel()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = await host.ConnectAsync();

        foreach (var call in new[] { "Subscribe", "GetHistory" })
            Assert.Equal("invalid_name", await TestClient.CodeOfAsync(client.Connection.InvokeAsync(call, (string?)null, new { })));
        foreach (var call in new[] { "Unsubscribe", "GetMembers" })
            Assert.Equal("invalid_name", await TestClient.CodeOfAsync(client.Connection.InvokeAsync(call, (string?)null)));
    }

    [Theory]
    [InlineData("", "e", "invalid_name")]
    [InlineData("a//b", "e", "invalid_name")]
    [InlineData("a b", "e", "invalid_name")]
    [InlineData("c", "", "invalid_message")]
    [InlineData("c", "a\nb", "invalid_message")]
    [InlineData("c", "collab:gap", "invalid_message")]
    public async Task What_cannot_be_published_is_refused_with_its_code(string channel, string name, string code)
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = new ChannelClient(await host.ConnectAsync());
        Assert.Equal(code, await TestClient.CodeOfAsync(client.PublishAsync(channel, name, 1)));
        Assert.Equal(ErrorCodes.TooLarge, await TestClient.CodeOfAsync(client.PublishAsync("c", "e", new string('x', 100_000))));
        Assert.Equal(ErrorCodes.InvalidMessage, await TestClient.CodeOfAsync(client.PublishAsync("c", "e", 1, new string('k', 200))));
        await client.PublishAsync("c", "e", 1);
        Assert.Single((await client.HistoryAsync("c")).Messages);
    }

    [Fact]
    public async Task While_the_store_cannot_be_read_callers_are_told_so()
    {
        var log = new GatedRoomLog();
        await using var host = await CollabTestHost.StartAsync(configure: collab => collab.Services.AddSingleton<IRoomLog>(log));
        log.IsBroken = true;
        var client = new ChannelClient(await host.ConnectAsync());
        Assert.Equal(ErrorCodes.Unavailable, await TestClient.CodeOfAsync(client.SubscribeAsync("c")));
        Assert.Equal(ErrorCodes.Unavailable, await TestClient.CodeOfAsync(client.HistoryAsync("c")));
        Assert.Equal("unavailable", await (await host.GetAsync("/channels/c/messages?wait=0")).CodeAsync());
        Assert.Equal("unavailable", await (await host.GetAsync("/channels/c/events")).CodeAsync());
        log.IsBroken = false;
        await client.SubscribeAsync("c");
    }

    [Fact]
    public async Task A_method_that_does_not_exist_is_said_not_to()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = await host.ConnectAsync();
        var error = await Assert.ThrowsAsync<HubException>(() => client.Connection.InvokeAsync("Subscribed", "c"));
        Assert.Contains("Method does not exist", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_asked_is_refused_with_its_code()
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = new ChannelClient(await host.ConnectAsync());
        Assert.Equal(ErrorCodes.InvalidPosition, await TestClient.CodeOfAsync(client.SubscribeAsync("c", after: "yesterday")));
        Assert.Equal(ErrorCodes.InvalidArgument, await TestClient.CodeOfAsync(client.SubscribeAsync("c", rewind: -1)));
        Assert.Equal(ErrorCodes.InvalidArgument, await TestClient.CodeOfAsync(client.HistoryAsync("c", limit: 0)));
        Assert.Equal(ErrorCodes.InvalidArgument, await TestClient.CodeOfAsync(client.HistoryAsync("c", after: "00-1", before: "00-2")));
        Assert.Equal(ErrorCodes.TooLarge, await TestClient.CodeOfAsync(client.SubscribeAsync("c", presence: new string('x', 9000))));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Data_that_is_no_JSON_value_is_refused_and_the_connection_goes_on(bool messagePack)
    {
        await using var host = await CollabTestHost.StartAsync();
        var client = new ChannelClient(await host.ConnectAsync(messagePack: messagePack));
        foreach (var depth in (int[])[61, 64, 70, 500])
        {
            var deep = Nested(depth, messagePack);
            Assert.Equal(ErrorCodes.InvalidMessage, await TestClient.CodeOfAsync(client.PublishAsync("c", "e", deep)));
        }

        Assert.Equal(ErrorCodes.InvalidMessage, await TestClient.CodeOfAsync(client.PublishAsync("c", "e", new Dictionary<string, int> { ["__proto__"] = 1 })));
        Assert.Equal(ErrorCodes.InvalidArgument, await TestClient.CodeOfAsync(client.Client.Connection.InvokeAsync("Publish", "c", 7, 1, null)));
        Assert.Equal(ErrorCodes.InvalidArgument, await TestClient.CodeOfAsync(client.Client.Connection.InvokeAsync("Publish", "c")));
        await client.PublishAsync("c", "e", Nested(60, messagePack));
    }

    [Theory, InlineData(true, true), InlineData(true, false), InlineData(false, true), InlineData(false, false)]
    public async Task Any_JSON_value_goes_through_either_protocol(bool writer, bool reader)
    {
        await using var host = await CollabTestHost.StartAsync();
        var publisher = new ChannelClient(await host.ConnectAsync(messagePack: writer));
        var subscriber = new ChannelClient(await host.ConnectAsync(messagePack: reader));
        await subscriber.SubscribeAsync("c");
        object?[] values =
        [
            null, true, 0, -1, 255, -129, 65536, -65537, long.MaxValue, long.MinValue, 0.5, -1e300, "", "\u0000\u001f\"\\/\u2028é😀",
            Array.Empty<int>(), new Dictionary<string, object?>(), new { a = new object?[] { 1, new { b = (int?)null } } },
        ];
        foreach (var value in values)
            await publisher.PublishAsync("c", "e", value);
        await subscriber.UntilAsync(self => self.Received.Count == values.Length);
        Assert.Equal(values.Select(ChannelClient.JsonOf), subscriber.Data);
    }

    [Fact]
    public async Task Every_door_asks_for_its_right()
    {
        await using var host = await CollabTestHost.StartAsync();
        async Task<ChannelClient> With(string rights) =>
            new(await host.ConnectAsync(grants: $$"""{ "channel": "news:*", "access": [{{rights}}] }"""));

        var none = await With("");
        Assert.Equal(ErrorCodes.Forbidden, await TestClient.CodeOfAsync(none.SubscribeAsync("news:a")));
        Assert.Equal(ErrorCodes.Forbidden, await TestClient.CodeOfAsync(none.PublishAsync("news:a", "e", 1)));
        Assert.Equal(ErrorCodes.Forbidden, await TestClient.CodeOfAsync(none.HistoryAsync("news:a")));
        Assert.Equal(ErrorCodes.Forbidden, await TestClient.CodeOfAsync(none.MembersAsync("news:a")));
        var subscriber = await With("\"subscribe\"");
        await subscriber.SubscribeAsync("news:a");
        Assert.Equal(ErrorCodes.Forbidden, await TestClient.CodeOfAsync(subscriber.SubscribeAsync("news:a", presence: true)));
        Assert.Equal(ErrorCodes.Forbidden, await TestClient.CodeOfAsync(subscriber.SubscribeAsync("sport:a")));
        Assert.Equal(ErrorCodes.Forbidden, await TestClient.CodeOfAsync(subscriber.PublishAsync("news:a", "e", 1)));
        var publisher = await With("\"publish\"");
        await publisher.PublishAsync("news:a", "e", 1);
        Assert.Equal(ErrorCodes.Forbidden, await TestClient.CodeOfAsync(publisher.SubscribeAsync("news:a")));
        var stream = Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await foreach (var _ in publisher.Client.Connection.StreamAsync<ChannelMessage>("StreamChannel", "news:a", null))
                Assert.Fail("It is not allowed.");
        });
        Assert.Contains("forbidden", (await stream).Message, StringComparison.Ordinal);
    }

    // .NET's own serializer of JSON ends at 64.
    private static object Nested(int depth, bool messagePack)
    {
        if (!messagePack)
            return JsonDocument.Parse(new string('[', depth) + new string(']', depth), new JsonDocumentOptions { MaxDepth = 1000 }).RootElement;
        object nested = Array.Empty<object>();
        for (var i = 1; i < depth; i++)
            nested = new[] { nested };
        return nested;
    }

    internal static long OffsetOf(string position) => Position.TryParse(position, out var parsed) ? parsed.Offset : -1;
}
