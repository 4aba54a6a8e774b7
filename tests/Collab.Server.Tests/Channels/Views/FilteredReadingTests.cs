using System.Net;
using System.Text.Json;
using Collab.Protocol;
using Collab.Testing;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;

namespace Collab.Server.Tests.Channels.Views;

/// <summary>Readers who get only those messages that their filter wants, at every door.</summary>
public sealed class FilteredReadingTests
{
    private const string Channel = "db:public.messages";

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

        for (var i = 0; i < 30; i++)
            await InsertAsync(client, new { id = i, room_id = i % 10 });

        await client.UntilAsync(self => self.Received.Count == 30 + 3 + 6);
        await stream.UntilAsync(self => self.Events.Count == 3);
        Assert.Equal([7, 17, 27], IdsOf(client, $"{Channel}?room_id=eq.7"));
        Assert.Equal([8, 9, 18, 19, 28, 29], IdsOf(client, $"{Channel}?room_id=in.(8,9)"));
        Assert.Equal(Enumerable.Range(0, 30), IdsOf(client, Channel));
        Assert.Equal([7, 17, 27], stream.Events.Select(one => IdOf(JsonDocument.Parse(one.Data).RootElement.GetProperty("data"))));
    }

    public static TheoryData<bool> Wires => [true, false];

    private static Task<string> InsertAsync(ChannelClient client, object record) =>
        client.PublishAsync(Channel, "insert", new { schema = "public", table = "messages", record, oldRecord = (object?)null });

    private static IEnumerable<int> IdsOf(ChannelClient client, string subscription) =>
        client.Received.Where(received => received.Channel == subscription).Select(received => IdOf(received.Message));

    private static int IdOf(ChannelMessage message) => IdOf(JsonDocument.Parse(ChannelClient.JsonOf(message.Data)).RootElement);

    private static int IdOf(JsonElement data) => data.GetProperty("record").GetProperty("id").GetInt32();
}
