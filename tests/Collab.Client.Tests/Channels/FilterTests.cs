using System.Text.Json;
using Collab.Protocol;
using Collab.Testing.Proxies;

namespace Collab.Client.Tests.Channels;

/// <summary>Subscriptions with filters get exactly what is theirs, whatever the network.</summary>
public sealed class FilterTests(ClientServer server) : IClassFixture<ClientServer>
{
    [Theory]
    [InlineData(Transport.WebSockets, false)]
    [InlineData(Transport.WebSockets, true)]
    [InlineData(Transport.LongPolling, false)]
    public async Task Subscriptions_with_different_filters_share_a_connection_also_when_it_is_cut(Transport transport, bool json)
    {
        var name = ClientServer.NewName();
        await using var network = new TcpRelay(new Uri(server.Url).Port);
        await using var one = server.Connect("ada");
        await using var two = server.Connect("ben", options => (options.Transport, options.UseJson) = (transport, json), network.Url);
        var gaps = 0;
        List<int> seven = [], some = [], all = [];
        using var first = two.Channel(name).Subscribe(message => seven.Add(IdOf(message)), new ChannelSubscribeOptions { Filter = "room_id=eq.7", OnGap = _ => gaps++ });
        using var second = two.Channel(name).Subscribe(message => some.Add(IdOf(message)), new ChannelSubscribeOptions { Filter = "room_id=in.(8,9)&id=gte.100", OnGap = _ => gaps++ });
        using var third = two.Channel(name).Subscribe(message => all.Add(IdOf(message)), new ChannelSubscribeOptions { OnGap = _ => gaps++ });
        await Task.WhenAll(first.Ready, second.Ready, third.Ready).SoonAsync();
        var random = new Random(5);
        for (var i = 0; i < 300; i += 10)
        {
            await Task.WhenAll(Enumerable.Range(i, 10).Select(id => PublishAsync(one, name, id))).SoonAsync();
            if (i % 60 == 30)
                network.CutOne(random);
        }

        await Eventually.IsTrueAsync(() => all.Count >= 300 && seven.Count >= 30 && some.Count >= 40);
        Assert.Equal(Enumerable.Range(0, 300), all);
        Assert.Equal(Enumerable.Range(0, 300).Where(id => id % 10 == 7), seven);
        Assert.Equal(Enumerable.Range(100, 200).Where(id => id % 10 >= 8), some);
        Assert.Equal(0, gaps);
    }

    [Fact]
    public async Task One_who_comes_later_reads_the_history_by_his_filter()
    {
        var name = ClientServer.NewName();
        await using var one = server.Connect();
        var positions = new List<string>();
        for (var i = 0; i < 100; i++)
            positions.Add(await PublishAsync(one, name, i).SoonAsync());
        var gaps = 0;
        List<int> fresh = [], newest = [], after = [];
        using var first = one.Channel(name).Subscribe(message => fresh.Add(IdOf(message)), new ChannelSubscribeOptions { Filter = "room_id=eq.7", OnGap = _ => gaps++ });
        await first.Ready.SoonAsync();
        using var second = one.Channel(name).Subscribe(message => newest.Add(IdOf(message)), new ChannelSubscribeOptions { Filter = "room_id=eq.7", Rewind = 2, OnGap = _ => gaps++ });
        using var third = one.Channel(name).Subscribe(message => after.Add(IdOf(message)), new ChannelSubscribeOptions { Filter = "room_id=eq.7", After = positions[50], OnGap = _ => gaps++ });
        await Task.WhenAll(second.Ready, third.Ready).SoonAsync();
        for (var i = 100; i < 120; i++)
            await PublishAsync(one, name, i).SoonAsync();

        await Eventually.IsTrueAsync(() => fresh.Count == 2 && newest.Count == 4 && after.Count == 7);
        Assert.Equal([107, 117], fresh);
        Assert.Equal([87, 97, 107, 117], newest);
        Assert.Equal([57, 67, 77, 87, 97, 107, 117], after);
        Assert.Equal(0, gaps);
        var history = await one.Channel($"{name}?room_id=eq.7").GetHistoryAsync(new HistoryOptions { Limit = 3 }).SoonAsync();
        Assert.Equal([97, 107, 117], history.Messages.Select(IdOf));
        Assert.NotNull(history.Next);
    }

    [Fact]
    public async Task A_subscription_knows_how_far_it_is_also_when_nothing_is_for_it()
    {
        var name = ClientServer.NewName();
        await using var one = server.Connect();
        using var subscription = one.Channel(name).Subscribe(_ => { }, new ChannelSubscribeOptions { Filter = "room_id=eq.7" });
        await subscription.Ready.SoonAsync();
        var last = "";
        for (var i = 0; i < 7; i++)
            last = await PublishAsync(one, name, i).SoonAsync();
        await Eventually.IsTrueAsync(() => subscription.Position == last);
    }

    [Fact]
    public async Task A_stream_has_what_its_filter_wants()
    {
        var name = ClientServer.NewName();
        await using var one = server.Connect();
        for (var i = 0; i < 30; i++)
            await PublishAsync(one, name, i).SoonAsync();
        var got = new List<int>();
        await foreach (var message in one.Channel(name).ReadAsync(new ChannelSubscribeOptions { Filter = "room_id=eq.7", Rewind = 100 }))
        {
            got.Add(IdOf(message));
            if (got.Count == 3)
                break;
        }

        Assert.Equal([7, 17, 27], got);
    }

    [Fact]
    public async Task A_filter_that_is_none_is_refused()
    {
        await using var one = server.Connect();
        using var subscription = one.Channel(ClientServer.NewName()).Subscribe(_ => { }, new ChannelSubscribeOptions { Filter = "room_id=like.7" });
        var refusal = await Assert.ThrowsAsync<CollabException>(() => subscription.Ready.SoonAsync());
        Assert.Equal(ErrorCodes.InvalidArgument, refusal.Code);
    }

    private static Task<string> PublishAsync(CollabConnection connection, string name, int id) =>
        connection.Channel(name).PublishJsonAsync("insert", JsonElement.Parse($$"""{"record":{"id":{{id}},"room_id":{{id % 10}} } }"""));

    private static int IdOf(ChannelMessage message) => message.GetJson().GetProperty("record").GetProperty("id").GetInt32();
}
