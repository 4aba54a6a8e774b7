using System.Text.Json;
using System.Text.Json.Serialization;
using Collab.Protocol;
using Collab.Testing;
using Collab.Testing.Proxies;

namespace Collab.Client.Tests.Channels;

/// <summary>A channel's messages come once and in order, whatever the transport and the network.</summary>
public sealed partial class ChannelTests(ClientServer server) : IClassFixture<ClientServer>
{
    [Theory]
    [InlineData(Transport.WebSockets, false)]
    [InlineData(Transport.WebSockets, true)]
    [InlineData(Transport.ServerSentEvents, false)]
    [InlineData(Transport.LongPolling, false)]
    public async Task What_one_publishes_the_other_gets(Transport transport, bool json)
    {
        var name = ClientServer.NewName();
        await using var one = server.Connect("ada", options => (options.Transport, options.UseJson) = (transport, json));
        await using var two = server.Connect("ben", options => (options.Transport, options.UseJson) = (transport, json));
        var got = new List<ChannelMessage>();
        using var subscription = two.Channel(name).Subscribe(got.Add);
        await subscription.Ready.SoonAsync();

        var position = await one.Channel(name).PublishAsync("chat", new Line("hi", [1, -2, 3.5, 4_294_967_296]), ChannelJson.Default.Line).SoonAsync();
        await one.Channel(name).PublishAsync("none", (string?)null).SoonAsync();

        await Eventually.IsTrueAsync(() => got.Count == 2);
        Assert.Equal((position, "chat", "ada"), (got[0].Position, got[0].Event, got[0].Publisher));
        Assert.Equal("""{"text":"hi","numbers":[1,-2,3.5,4294967296]}""", got[0].GetJson().GetRawText());
        Assert.Equal("hi", got[0].GetData(ChannelJson.Default.Line)!.Text);
        Assert.Equal(JsonValueKind.Null, got[1].GetJson().ValueKind);
        Assert.Null(got[1].Skipped);
    }

    [Fact]
    public async Task Subscriptions_of_one_channel_begin_where_each_wants()
    {
        var name = ClientServer.NewName();
        await using var one = server.Connect();
        var channel = one.Channel(name);
        var positions = new List<string>();
        for (var i = 0; i < 5; i++)
            positions.Add(await channel.PublishAsync("n", i).SoonAsync());
        List<int> all = [], last = [], fresh = [];

        using var first = channel.Subscribe(message => last.Add(message.GetJson().GetInt32()), new ChannelSubscribeOptions { Rewind = 2 });
        await first.Ready.SoonAsync();
        using var second = channel.Subscribe(message => all.Add(message.GetJson().GetInt32()), new ChannelSubscribeOptions { After = positions[0] });
        using var third = channel.Subscribe(message => fresh.Add(message.GetJson().GetInt32()));
        await Task.WhenAll(second.Ready, third.Ready).SoonAsync();
        await channel.PublishAsync("n", 5).SoonAsync();

        await Eventually.IsTrueAsync(() => last.Count == 3 && all.Count == 5 && fresh.Count == 1);
        Assert.Equal([3, 4, 5], last);
        Assert.Equal([1, 2, 3, 4, 5], all);
        Assert.Equal([5], fresh);
    }

    [Fact]
    public async Task Cut_connections_neither_lose_nor_repeat_messages()
    {
        var name = ClientServer.NewName();
        await using var network = new TcpRelay(new Uri(server.Url).Port);
        await using var one = server.Connect("ada", options => options.Transport = Transport.LongPolling, network.Url);
        await using var two = server.Connect("ben", options => options.Transport = Transport.WebSockets, network.Url);
        var got = new List<int>();
        var gaps = 0;
        using var subscription = two.Channel(name).Subscribe(
            message => got.Add(message.GetJson().GetInt32()), new ChannelSubscribeOptions { OnGap = _ => gaps++ });
        await subscription.Ready.SoonAsync();
        var random = new Random(3);
        var published = new List<Task>();
        for (var i = 0; i < 300; i++)
        {
            published.Add(one.Channel(name).PublishAsync("n", i));
            if (i % 60 == 30)
                network.CutOne(random);
            await Task.Delay(2);
        }

        await Task.WhenAll(published).SoonAsync();
        await Eventually.IsTrueAsync(() => got.Count >= 300);
        Assert.Equal(Enumerable.Range(0, 300), got);
        Assert.Equal(0, gaps);
    }

    [Fact]
    public async Task A_stream_gives_messages_in_order_also_to_one_who_is_slow()
    {
        var name = ClientServer.NewName();
        await using var one = server.Connect("ada");
        await using var two = server.Connect("ben");
        var stream = two.Channel(name).ReadAsync(new ChannelSubscribeOptions { Rewind = 1_000 }).GetAsyncEnumerator();
        await one.Channel(name).PublishAsync("n", 0).SoonAsync();
        Assert.True(await stream.MoveNextAsync().AsTask().SoonAsync());
        Assert.Equal(0, stream.Current.GetJson().GetInt32());

        // More than the stream keeps.
        for (var i = 1; i <= 3_000; i += 100)
            await Task.WhenAll(Enumerable.Range(i, 100).Select(n => one.Channel(name).PublishAsync("n", n))).SoonAsync();

        for (var i = 1; i <= 3_000; i++)
        {
            Assert.True(await stream.MoveNextAsync().AsTask().SoonAsync());
            Assert.Equal(i, stream.Current.GetJson().GetInt32());
        }
        await stream.DisposeAsync();
    }

    [Fact]
    public async Task A_stream_ends_with_its_cancellation_and_with_its_refusal()
    {
        await using var one = server.Connect("ada");
        await using var two = server.Connect("eve", grants: "[]");
        using var cancel = new CancellationTokenSource(50);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await one.Channel(ClientServer.NewName()).ReadAsync(cancellationToken: cancel.Token).FirstAsync());
        var refusal = await Assert.ThrowsAsync<CollabException>(async () => await two.Channel(ClientServer.NewName()).ReadAsync().FirstAsync());

        Assert.Equal(ErrorCodes.Forbidden, refusal.Code);
    }

    [Fact]
    public async Task Members_come_and_go()
    {
        var name = ClientServer.NewName();
        await using var one = server.Connect("ada");
        await using var two = server.Connect("ben");
        IReadOnlyList<ChannelMember> seen = [];
        using var mine = one.Channel(name).Subscribe(_ => { }, new ChannelSubscribeOptions
        {
            Presence = JsonSerializer.SerializeToElement(new { mood = "good" }),
            OnMembers = (members, _) => seen = members,
        });
        await mine.Ready.SoonAsync();

        var yours = two.Channel(name).Subscribe(_ => { }, new ChannelSubscribeOptions { Presence = JsonSerializer.SerializeToElement(true) });
        await Eventually.IsTrueAsync(() => seen.Count == 2);
        Assert.Equal("good", seen.Single(member => member.UserId == "ada").GetJson().GetProperty("mood").GetString());
        Assert.Equal(2, (await two.Channel(name).GetMembersAsync().SoonAsync()).Count);
        yours.Dispose();

        await Eventually.IsTrueAsync(() => seen.Count == 1);
    }

    [Fact]
    public async Task The_history_is_read_in_parts()
    {
        var name = ClientServer.NewName();
        await using var one = server.Connect();
        var channel = one.Channel(name);
        var positions = new List<string>();
        for (var i = 0; i < 5; i++)
            positions.Add(await channel.PublishJsonAsync("n", JsonSerializer.SerializeToElement(i), $"key-{i}").SoonAsync());

        var page = await channel.GetHistoryAsync(new HistoryOptions { After = positions[0], Limit = 2 }).SoonAsync();
        var lost = await Assert.ThrowsAsync<CollabException>(() => channel.GetHistoryAsync(new HistoryOptions { After = "ffff-3" }));

        Assert.Equal(positions[1..3], page.Messages.Select(message => message.Position));
        Assert.Equal("key-1", page.Messages[0].Id);
        Assert.Equal(positions[4], page.Position);
        Assert.Equal(ErrorCodes.PositionLost, lost.Code);
    }

    [Fact]
    public async Task Too_many_waiting_messages_are_refused_and_the_end_tells_those_that_wait()
    {
        await using var one = server.Connect(configure: options => (options.Connect, options.PublishQueue) = (false, 2));
        var channel = one.Channel(ClientServer.NewName());
        var (first, second, third) = (channel.PublishAsync("n", 1), channel.PublishAsync("n", 2), channel.PublishAsync("n", 3));

        Assert.Equal(ClientErrorCodes.QueueFull, (await Assert.ThrowsAsync<CollabException>(() => third.SoonAsync())).Code);
        await one.DisposeAsync();

        Assert.Equal(ClientErrorCodes.Disconnected, (await Assert.ThrowsAsync<CollabException>(() => first.SoonAsync())).Code);
        Assert.Equal(ClientErrorCodes.Disconnected, (await Assert.ThrowsAsync<CollabException>(() => second.SoonAsync())).Code);
    }

    internal sealed record Line(string Text, double[] Numbers);

    [JsonSerializable(typeof(Line))]
    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
    internal sealed partial class ChannelJson : JsonSerializerContext;
}
