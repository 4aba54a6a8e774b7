using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;
using Collab.Protocol;
using Collab.Testing;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Tests.Channels;

/// <summary>What a reader gets who reads more slowly than is published, by his namespace.</summary>
public sealed class SlowReaderTests
{
    private static readonly (string, string)[] Settings =
    [
        ("Collab:Channels:Namespaces:0:Pattern", "cursors:*"), ("Collab:Channels:Namespaces:0:SlowReaders", "Latest"),
        ("Collab:Channels:Namespaces:1:Pattern", "answers:*"), ("Collab:Channels:Namespaces:1:SlowReaders", "Coalesce"),
        ("Collab:Channels:Namespaces:2:Pattern", "short:*"), ("Collab:Channels:Namespaces:2:HistoryMessages", "100"),
        ("Collab:Channels:Namespaces:3:Pattern", "memory:*"), ("Collab:Channels:Namespaces:3:Ephemeral", "true"),
    ];

    [Fact]
    public async Task A_stream_gives_everything_as_fast_as_it_is_taken()
    {
        await using var host = await CollabTestHost.StartAsync(Settings);
        var client = new ChannelClient(await host.ConnectAsync());
        var publishing = PublishAsync(client, "c", 3000);
        var seen = 0;
        await foreach (var message in client.Client.Connection.StreamAsync<ChannelMessage>("StreamChannel", "c", new SubscribeOptions { Rewind = 1000 }))
        {
            Assert.Equal($"{seen}", ChannelClient.JsonOf(message.Data));
            if (++seen == 3000)
                break;
            if (seen % 500 == 0)
                await Task.Delay(50);
        }

        await publishing;
    }

    [Fact]
    public async Task A_slow_reader_of_a_text_gets_the_same_text_in_fewer_pieces()
    {
        await using var host = await CollabTestHost.StartAsync(Settings);
        var writer = new ChannelClient(await host.ConnectAsync());
        const int Count = 2000;
        var text = new StringBuilder();
        var publishing = new List<Task>();
        for (var i = 0; i < Count; i++)
        {
            text.Append($"wörd {i} ");
            publishing.Add(writer.PublishAsync("answers:1", "token", new { id = i < Count / 2 ? "m1" : "m2", text = $"wörd {i} ", n = i }));
        }

        await Task.WhenAll(publishing);
        var (pieces, got, last) = (0, new StringBuilder(), -1L);
        await foreach (var message in writer.Client.Connection.StreamAsync<ChannelMessage>(
            "StreamChannel", "answers:1", new SubscribeOptions { After = (await StartOfAsync(writer, "answers:1")) }))
        {
            using var data = System.Text.Json.JsonDocument.Parse(ChannelClient.JsonOf(message.Data));
            got.Append(data.RootElement.GetProperty("text").GetString());
            pieces++;
            var offset = ChannelHubTests.OffsetOf(message.Position);
            Assert.Equal(offset - 1, last < 0 ? (message.Skipped ?? 0) : last + (message.Skipped ?? 0));
            last = offset;
            if (offset == Count)
                break;
        }

        // The first answer of up to a thousand messages is given as it is; the rest is joined.
        Assert.Equal(text.ToString(), got.ToString());
        Assert.InRange(pieces, 2, Count - 500);
    }

    [Fact]
    public async Task A_slow_reader_of_what_is_latest_gets_only_that()
    {
        await using var host = await CollabTestHost.StartAsync(Settings);
        var writer = new ChannelClient(await host.ConnectAsync());
        await writer.PublishAsync("cursors:1", "ada", -1);
        await using var stalled = host.Follow($"/channels/cursors:1/events?after={await StartOfAsync(writer, "cursors:1")}");
        await stalled.UntilAsync(self => self.Events.Count == 1);
        for (var batch = 0; batch < 3; batch++)
        {
            var messages = Enumerable.Range(0, 500).Select(i => $$"""{"event":"ada","data":{{i}}},{"event":"ben","data":{{i}}}""");
            (await host.PostAsync("/channels/cursors:1/messages", $"[{string.Join(',', messages)}]")).EnsureSuccessStatusCode();
        }

        await using var late = host.Follow($"/channels/cursors:1/events?after={stalled.Events.First().Id}");
        await late.UntilAsync(self => self.LastId.EndsWith("-3001", StringComparison.Ordinal));
        await stalled.UntilAsync(self => self.LastId.EndsWith("-3001", StringComparison.Ordinal));
        // A thousand in the first answer, and of the rest the newest of each name.
        Assert.Equal(1002, late.Events.Count);
        Assert.Equal(["ada", "ben"], late.Events.TakeLast(2).Select(one => one.Event));
        Assert.Equal(499, EventStreamTests.Number(stalled.Events.Last(one => one.Event == "ada")));
        Assert.Equal(499, EventStreamTests.Number(stalled.Events.Last(one => one.Event == "ben")));
    }

    [Fact]
    public async Task What_slow_readers_got_and_were_spared_is_counted_by_mode()
    {
        await using var host = await CollabTestHost.StartAsync(Settings);
        var meters = host.Services.GetRequiredService<IMeterFactory>();
        var counted = new ConcurrentDictionary<string, long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == "Collab.Channels" && instrument.Meter.Scope == meters)
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            counted.AddOrUpdate($"{instrument.Name.Split('.')[^1]} {tags[0].Value}", value, (_, sum) => sum + value));
        listener.Start();

        var client = new ChannelClient(await host.ConnectAsync());
        foreach (var channel in (string[])["c", "cursors:1", "answers:1"])
        {
            // More than the first answer holds: the rest is given as to one who has fallen behind.
            await host.PostAsync($"/channels/{channel}/messages", $"[{string.Join(',', Enumerable.Repeat("""{"event":"n","data":{"id":1,"text":"x"}}""", 1000))}]");
            await host.PostAsync($"/channels/{channel}/messages", $"[{string.Join(',', Enumerable.Repeat("""{"event":"n","data":{"id":1,"text":"x"}}""", 10))}]");
            await using var stream = host.Follow($"/channels/{channel}/events?after={await StartOfAsync(client, channel)}");
            await stream.UntilAsync(self => self.LastId.EndsWith("-1010", StringComparison.Ordinal));
        }

        Assert.Equal((10, 1, 1), (counted["messages recover"], counted["messages latest"], counted["messages coalesce"]));
        Assert.Equal((9, 9), (counted["spared latest"], counted["spared coalesce"]));
        Assert.DoesNotContain("spared recover", counted.Keys);
    }

    [Fact]
    public async Task A_stream_that_is_read_too_slowly_for_the_history_ends_with_its_code()
    {
        await using var host = await CollabTestHost.StartAsync(Settings);
        var client = new ChannelClient(await host.ConnectAsync());
        var first = await client.PublishAsync("short:1", "n", 0);
        await PublishAsync(client, "short:1", 500);
        var error = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await foreach (var _ in client.Client.Connection.StreamAsync<ChannelMessage>("StreamChannel", "short:1", new SubscribeOptions { After = first }))
                Assert.Fail("Something was left out.");
        });
        Assert.Contains("position_lost", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_kept_in_memory_only_has_another_epoch_after_a_restart()
    {
        string first;
        await using (var host = await CollabTestHost.StartAsync(Settings))
        {
            var client = new ChannelClient(await host.ConnectAsync());
            first = await client.PublishAsync("memory:1", "n", 0);
            Assert.Equal(2, ChannelHubTests.OffsetOf(await client.PublishAsync("memory:1", "n", 1)));
            Assert.True((await client.SubscribeAsync("memory:1", after: first)).Recovered);
        }

        await using var next = await CollabTestHost.StartAsync(Settings);
        Assert.False((await new ChannelClient(await next.ConnectAsync()).SubscribeAsync("memory:1", after: first)).Recovered);
    }

    private static Task PublishAsync(ChannelClient client, string channel, int count) => Task.Run(async () =>
    {
        for (var i = 0; i < count; i++)
            await client.PublishAsync(channel, "n", i);
    });

    // The position before the first message.
    private static async Task<string> StartOfAsync(ChannelClient client, string channel)
    {
        var position = (await client.HistoryAsync(channel, limit: 1)).Position;
        return position[..(position.LastIndexOf('-') + 1)] + "0";
    }
}
