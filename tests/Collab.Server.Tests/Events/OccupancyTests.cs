using Collab.Protocol;
using Collab.Server.Rooms;
using Collab.Testing;
using Collab.Testing.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Events;

/// <summary>That sinks are told when a channel gets its first subscriber and loses its last.</summary>
public sealed class OccupancyTests
{
    private static readonly (string, string)[] NoGrace = [("Collab:Channels:PresenceGraceMilliseconds", "0")];

    private readonly RecordingSink _sink = new();

    [Fact]
    public async Task The_first_subscriber_and_the_end_of_the_last_are_told_and_no_other()
    {
        await using var host = await CollabTestHost.StartAsync(NoGrace, Add);
        var (ada, ben) = (new ChannelClient(await host.ConnectAsync("ada")), new ChannelClient(await host.ConnectAsync("ben")));
        await ada.SubscribeAsync("chat");
        await _sink.UntilTakenAsync(1);
        await ben.SubscribeAsync("chat");
        await ada.UnsubscribeAsync("chat");
        await ben.Client.Connection.StopAsync();

        await _sink.UntilTakenAsync(2);

        Assert.Equal(["collab.channel.occupied channels/chat", "collab.channel.vacated channels/chat"], Told());
        Assert.Equal("chat", RecordingSink.DataOf(_sink.Taken.First()).GetProperty("channel").GetString());
    }

    [Fact]
    public async Task Readers_of_event_streams_are_subscribers_too()
    {
        await using var host = await CollabTestHost.StartAsync(NoGrace, Add);
        await using (host.Follow("/channels/chat/events"))
            await _sink.UntilTakenAsync(1);

        await _sink.UntilTakenAsync(2);

        Assert.Equal(["collab.channel.occupied channels/chat", "collab.channel.vacated channels/chat"], Told());
    }

    [Fact]
    public async Task Who_comes_back_within_the_grace_has_not_left()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Channels:PresenceGraceMilliseconds", "60000")], Add);
        var ada = new ChannelClient(await host.ConnectAsync("ada"));
        await ada.SubscribeAsync("chat");
        await ada.UnsubscribeAsync("chat");
        await ada.SubscribeAsync("chat");
        await ada.SubscribeAsync("other");

        await _sink.UntilTakenAsync(2);

        Assert.Equal(["collab.channel.occupied channels/chat", "collab.channel.occupied channels/other"], Told().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_channel_is_vacated_when_nobody_on_any_node_subscribes_to_it()
    {
        await using var nodes = new InMemoryNodes();
        var (a, b) = (await nodes.StartAsync(Add, NoGrace), await nodes.StartAsync(Add, NoGrace));
        var (ada, ben) = (new ChannelClient(await a.ConnectAsync("ada")), new ChannelClient(await b.ConnectAsync("ben")));
        await ada.SubscribeAsync("chat");
        await ben.SubscribeAsync("chat");
        await _sink.UntilTakenAsync(1);
        await ada.UnsubscribeAsync("chat");
        await ada.SubscribeAsync("marker");
        await _sink.UntilTakenAsync(2);
        await ben.UnsubscribeAsync("chat");

        await _sink.UntilTakenAsync(3);

        Assert.Equal(["collab.channel.occupied channels/chat", "collab.channel.occupied channels/marker", "collab.channel.vacated channels/chat"], Told());
    }

    [Fact]
    public async Task Channels_whose_subscribers_went_with_their_server_are_vacated_by_the_next_one()
    {
        var log = new InMemoryRoomLog(TimeProvider.System);
        // What a server that was killed has left.
        await log.AppendAsync(new RoomKey(RoomKind.Events, "occupied/chat"), [new NewLogEntry("""["a node that is gone"]"""u8.ToArray())], default);

        await using var host = await CollabTestHost.StartAsync(NoGrace, collab =>
        {
            collab.Services.AddSingleton<IRoomLog>(log);
            Add(collab);
        });
        await _sink.UntilTakenAsync(1);

        Assert.Equal(["collab.channel.vacated channels/chat"], Told());
    }

    [Fact]
    public async Task A_stop_in_good_order_vacates_what_was_occupied_here()
    {
        var log = new InMemoryRoomLog(TimeProvider.System);
        void Configure(ICollabBuilder collab)
        {
            collab.Services.AddSingleton<IRoomLog>(log);
            Add(collab);
        }

        await using (var host = await CollabTestHost.StartAsync(NoGrace, Configure))
        {
            await new ChannelClient(await host.ConnectAsync("ada")).SubscribeAsync("chat");
            await _sink.UntilTakenAsync(1);
            await host.StopAsync();
        }

        await using var again = await CollabTestHost.StartAsync(NoGrace, Configure);
        await _sink.UntilTakenAsync(2);

        Assert.Equal(["collab.channel.occupied channels/chat", "collab.channel.vacated channels/chat"], Told());
    }

    private void Add(ICollabBuilder collab) =>
        collab.AddEventSink("one", new EventSubscription { Events = { "channel.occupied", "channel.vacated" } }, _ => _sink);

    private IEnumerable<string> Told() => _sink.Taken.Select(one => $"{one.Type} {one.Subject}");
}
