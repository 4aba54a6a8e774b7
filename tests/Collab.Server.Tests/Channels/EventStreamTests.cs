using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Collab.Testing;
using Collab.Testing.Proxies;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Tests.Channels;

/// <summary>Channels for a browser's own EventSource.</summary>
public sealed class EventStreamTests
{
    [Fact]
    public async Task A_stream_has_named_events_with_positions_and_the_message_as_data()
    {
        await using var host = await CollabTestHost.StartAsync();
        await using var stream = host.Follow("/channels/c/events");
        await stream.UntilAsync(self => self.LastId.Length > 0);
        Assert.Equal("text/event-stream", stream.Response!.Content.Headers.ContentType!.ToString());
        Assert.Equal("no", stream.Response.Headers.GetValues("X-Accel-Buffering").Single());
        Assert.True(stream.Response.Headers.CacheControl!.NoCache);
        Assert.Contains(stream.Lines, line => line.StartsWith("retry: ", StringComparison.Ordinal));
        Assert.Empty(stream.Events);

        var hub = new ChannelClient(await host.ConnectAsync("ben"));
        var position = await hub.PublishAsync("c", "price: now", new { a = "x\ny" }, "k");
        await stream.UntilAsync(self => !self.Events.IsEmpty);
        var (id, name, data) = stream.Events.Single();
        Assert.Equal((position, "price: now"), (id, name));
        using var message = JsonDocument.Parse(data);
        Assert.Equal((position, "k", "ben"), (Text(message, "position"), Text(message, "id"), Text(message, "publisher")));
        Assert.Equal("""{"a":"x\ny"}""", message.RootElement.GetProperty("data").GetRawText());
    }

    [Fact]
    public async Task A_stream_that_was_cut_goes_on_where_it_was()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Channels:RetryMilliseconds", "100")]);
        await using var stream = host.Follow("/channels/c/events");
        await stream.UntilAsync(self => self.Opened == 1 && self.LastId.Length > 0);
        var hub = new ChannelClient(await host.ConnectAsync());
        for (var i = 0; i < 100; i++)
        {
            await hub.PublishAsync("c", "n", i);
            if (i % 10 == 5)
                stream.Cut();
        }

        await stream.UntilAsync(self => self.Events.Count >= 100);
        Assert.Equal(Enumerable.Range(0, 100), stream.Events.Select(Number));
        Assert.True(stream.Opened > 1);
        Assert.All(stream.LastIds.Skip(1), id => Assert.NotEqual("", id));
    }

    [Fact]
    public async Task A_stream_begins_after_a_position_or_with_the_last_messages()
    {
        await using var host = await CollabTestHost.StartAsync();
        var hub = new ChannelClient(await host.ConnectAsync());
        var positions = new List<string>();
        for (var i = 0; i < 3000; i++)
            positions.Add(await hub.PublishAsync("c", "n", i));
        await using var after = host.Follow($"/channels/c/events?after={positions[9]}");
        await using var rewound = host.Follow("/channels/c/events?rewind=3");
        await after.UntilAsync(self => self.Events.Count >= 2990);
        await rewound.UntilAsync(self => self.Events.Count >= 3);
        await hub.PublishAsync("c", "n", 3000);
        await after.UntilAsync(self => self.Events.Count >= 2991);
        await rewound.UntilAsync(self => self.Events.Count >= 4);
        Assert.Equal(Enumerable.Range(10, 2991), after.Events.Select(Number));
        Assert.Equal(Enumerable.Range(2997, 4), rewound.Events.Select(Number));
    }

    [Fact]
    public async Task Lost_messages_are_told_by_an_event()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Channels:Default:HistoryMessages", "5")]);
        var hub = new ChannelClient(await host.ConnectAsync());
        var first = await hub.PublishAsync("c", "n", 0);
        for (var i = 1; i < 20; i++)
            await hub.PublishAsync("c", "n", i);
        await using var stream = host.Follow($"/channels/c/events?after={first}");
        await stream.UntilAsync(self => self.Events.Count >= 6);
        Assert.Equal("collab:gap", stream.Events.First().Event);
        using var gap = JsonDocument.Parse(stream.Events.First().Data);
        Assert.EndsWith("-15", Text(gap, "position"), StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(15, 5), stream.Events.Skip(1).Select(Number));
    }

    [Fact]
    public async Task Many_channels_come_over_one_stream_and_go_on_together()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Channels:RetryMilliseconds", "100")]);
        await using var stream = host.Follow("/events?channel=a&channel=b&channel=c%2Fd&channel=a");
        await stream.UntilAsync(self => self.Opened == 1 && self.LastId.Length > 0);
        var hub = new ChannelClient(await host.ConnectAsync());
        string[] channels = ["a", "b", "c/d"];
        for (var i = 0; i < 90; i++)
        {
            await hub.PublishAsync(channels[i % 3], "n", i);
            if (i % 20 == 10)
                stream.Cut();
        }

        await stream.UntilAsync(self => self.Events.Count >= 90);
        Assert.Equal(90, stream.Events.Count);
        foreach (var (channel, first) in channels.Select((name, i) => (name, i)))
        {
            var ofChannel = stream.Events.Where(one =>
            {
                using var data = JsonDocument.Parse(one.Data);
                return Text(data, "channel") == channel;
            });
            Assert.Equal(Enumerable.Range(0, 30).Select(i => i * 3 + first), ofChannel.Select(Number));
        }

        Assert.True(stream.Opened > 1);
        Assert.Equal(3, stream.LastId.Split(',').Length);
        var none = await host.GetAsync("/events");
        Assert.Equal(HttpStatusCode.BadRequest, none.StatusCode);
        Assert.Equal("invalid_position", await (await host.GetAsync("/events?channel=a&channel=b&after=00-1")).CodeAsync());
    }

    [Fact]
    public async Task A_silent_stream_is_kept_alive()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Fanout:KeepAliveMilliseconds", "1000")]);
        await using var stream = host.Follow("/channels/c/events");
        await stream.UntilAsync(self => self.Opened == 1);
        var opened = Stopwatch.GetTimestamp();
        await stream.UntilAsync(self => self.Lines.Count(line => line.StartsWith(':')) >= 3);
        // After three quarters of a second of silence each, and no sooner.
        Assert.True(Stopwatch.GetElapsedTime(opened) > TimeSpan.FromSeconds(1.5));
        Assert.Empty(stream.Events);
        Assert.Equal(1, stream.Opened);
    }

    [Fact]
    public async Task A_stream_that_another_of_its_session_replaces_is_over_for_good()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Channels:RetryMilliseconds", "100")]);
        await using var first = host.Follow("/channels/c/events?session=tab-1");
        await first.UntilAsync(self => self.LastId.Length > 0);
        await using var other = host.Follow("/channels/c/events?session=tab-2");
        await other.UntilAsync(self => self.LastId.Length > 0);
        await using var second = host.Follow("/channels/c/events?session=tab-1");
        await first.UntilAsync(self => self.EndedBy is not null);
        Assert.Equal(HttpStatusCode.NoContent, first.EndedBy);

        var hub = new ChannelClient(await host.ConnectAsync());
        await hub.PublishAsync("c", "n", 1);
        await second.UntilAsync(self => !self.Events.IsEmpty);
        await other.UntilAsync(self => !self.Events.IsEmpty);
        Assert.Empty(first.Events);
        Assert.Equal((1, 1), (second.Opened, other.Opened));
    }

    [Fact]
    public async Task Over_http_2_many_streams_share_one_connection()
    {
        await using var host = await CollabTestHost.StartAsync(configure: collab => collab.Services.Configure<KestrelServerOptions>(
            server => server.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2)));
        await using var relay = new TcpRelay(new Uri(host.Url).Port);
        using var http = new HttpClient { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", TestAuthentication.Header("ada", CollabTestHost.Everything));

        var streams = await Task.WhenAll(Enumerable.Range(0, 50).Select(i =>
            http.GetAsync(new Uri($"{relay.Url}/channels/c{i}/events"), HttpCompletionOption.ResponseHeadersRead)));
        for (var i = 0; i < streams.Length; i++)
        {
            using var body = new StringContent($$"""{"event":"n","data":{{i}}}""", Encoding.UTF8, "application/json");
            (await http.PostAsync(new Uri($"{relay.Url}/channels/c{i}/messages"), body)).EnsureSuccessStatusCode();
        }

        foreach (var (stream, i) in streams.Select((stream, i) => (stream, i)))
        {
            using var lines = new StreamReader(await stream.Content.ReadAsStreamAsync());
            string? line;
            while ((line = await lines.ReadLineAsync()) is not null && !line.StartsWith("data: ", StringComparison.Ordinal))
                continue;
            Assert.Contains($"\"data\":{i},", line, StringComparison.Ordinal);
            stream.Dispose();
        }

        Assert.Equal(1, relay.Accepted);
    }

    [Fact]
    public async Task A_stream_that_is_not_read_holds_up_nobody_and_is_closed()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Fanout:WriteTimeoutMilliseconds", "3000")]);
        var address = new Uri(host.Url);
        using var stalled = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await stalled.ConnectAsync(address.Host, address.Port);
        await stalled.SendAsync(Encoding.ASCII.GetBytes(
            $"GET /channels/c/events HTTP/1.1\r\nHost: {address.Authority}\r\nAuthorization: {TestAuthentication.Header("ben", CollabTestHost.Everything)}\r\n\r\n"));
        await stalled.ReceiveAsync(new byte[64]);
        await using var healthy = host.Follow("/channels/c/events");
        await healthy.UntilAsync(self => self.LastId.Length > 0);

        var hub = new ChannelClient(await host.ConnectAsync());
        var data = new string('x', 8000);
        var longest = TimeSpan.Zero;
        for (var i = 0; i < 1000; i++)
        {
            var started = Stopwatch.GetTimestamp();
            await hub.PublishAsync("c", "n", data);
            var took = Stopwatch.GetElapsedTime(started);
            longest = took > longest ? took : longest;
        }

        await healthy.UntilAsync(self => self.Events.Count == 1000);
        // Whoever waited for the stalled one would have waited until he was closed.
        Assert.True(longest < TimeSpan.FromSeconds(2.5), $"a publish took {longest}");
        await Task.Delay(4000);
        await Assert.ThrowsAnyAsync<SocketException>(async () =>
        {
            // What stands in the buffers can still be read; then it is over.
            while (await stalled.ReceiveAsync(new byte[65536]).WaitAsync(TimeSpan.FromSeconds(5)) > 0)
                continue;
            throw new SocketException();
        });
    }

    [Fact]
    public async Task A_bad_position_ends_a_stream_before_it_begins()
    {
        await using var host = await CollabTestHost.StartAsync();
        var answer = await host.GetAsync("/channels/c/events?after=nonsense");
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_position"), (answer.StatusCode, await answer.CodeAsync()));
        Assert.Equal("invalid_name", await (await host.GetAsync("/channels/a b/events")).CodeAsync());
    }

    internal static int Number((string Id, string Event, string Data) one)
    {
        using var data = JsonDocument.Parse(one.Data);
        return data.RootElement.GetProperty("data").GetInt32();
    }

    private static string Text(JsonDocument json, string property) => json.RootElement.GetProperty(property).GetString()!;
}
