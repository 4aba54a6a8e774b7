using Collab.Crdt;
using Collab.Testing;
using Microsoft.AspNetCore.Http.Connections;

namespace Collab.Server.Tests.Channels;

/// <summary>A client that connects a second time with the same session, as a badly written reconnect does.</summary>
public sealed class SessionTests
{
    [Theory]
    [InlineData(HttpTransportType.WebSockets)]
    [InlineData(HttpTransportType.ServerSentEvents)]
    [InlineData(HttpTransportType.LongPolling)]
    public async Task The_first_connection_is_closed_and_gets_nothing_more(HttpTransportType transport)
    {
        await using var host = await CollabTestHost.StartAsync();
        var first = new ChannelClient(await host.ConnectAsync(transport: transport, messagePack: false, session: "s"));
        await first.SubscribeAsync("c");
        var second = new ChannelClient(await host.ConnectAsync(transport: transport, messagePack: false, session: "s"));
        await second.SubscribeAsync("c");
        await second.PublishAsync("c", "n", 1);

        await first.Client.UntilAsync(client => client.IsClosed);
        Assert.Contains("replaced", first.Client.ClosedBy!.Message, StringComparison.Ordinal);
        await second.UntilAsync(self => !self.Received.IsEmpty);
        Assert.Empty(first.Received);
    }

    [Fact]
    public async Task The_first_connection_leaves_its_rooms()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Channels:PresenceGraceMilliseconds", "0")]);
        var watcher = new ChannelClient(await host.ConnectAsync("watcher"));
        await watcher.Client.JoinAsync("d");
        var first = new ChannelClient(await host.ConnectAsync("ada", session: "s"));
        await first.SubscribeAsync("c", presence: true);
        await first.Client.JoinAsync("d");
        await first.Client.ShowAsync("d", new AwarenessState(7, 1, "{}"u8.ToArray()));
        await watcher.Client.UntilAsync(client => client.Awareness.Count == 1);

        await host.ConnectAsync("ada", session: "s");
        await first.Client.UntilAsync(client => client.IsClosed);
        await watcher.Client.UntilAsync(client => client.Awareness.Count == 2);
        Assert.Empty(await watcher.MembersAsync("c"));
    }

    [Fact]
    public async Task A_session_is_one_of_its_user()
    {
        await using var host = await CollabTestHost.StartAsync();
        var ada = await host.ConnectAsync("ada", session: "s");
        var ben = await host.ConnectAsync("ben", session: "s");
        var other = await host.ConnectAsync("ada", session: "t");
        await Task.Delay(300);
        Assert.False(ada.IsClosed || ben.IsClosed || other.IsClosed);
    }
}
