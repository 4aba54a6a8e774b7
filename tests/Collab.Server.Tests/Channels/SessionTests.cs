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
