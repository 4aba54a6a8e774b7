using System.Text.Json;
using Collab.Protocol;
using Collab.Testing;

namespace Collab.Server.Events;

/// <summary>What sinks are told of, and in which form.</summary>
public sealed class EventTests
{
    private readonly RecordingSink _sink = new();

    [Fact]
    public async Task A_change_of_a_document_is_told_with_its_place_its_writers_and_its_update()
    {
        await using var host = await StartAsync("document.changed");
        var client = await host.ConnectAsync("ada");
        var joined = await client.JoinAsync("acme/plan");
        var typist = new Typist(1);
        var position = await client.PushAsync("acme/plan", typist.Type("hello"));

        await _sink.UntilTakenAsync(1);

        var told = _sink.Taken.Single();
        var data = RecordingSink.DataOf(told);
        Assert.Equal(("collab.document.changed", "documents/acme/plan"), (told.Type, told.Subject));
        Assert.Equal(["document", "after", "position", "users", "update"], data.EnumerateObject().Select(property => property.Name));
        Assert.Equal(
            ("acme/plan", joined.Position, position, "ada"),
            (data.GetProperty("document").GetString(), data.GetProperty("after").GetString(), data.GetProperty("position").GetString(), data.GetProperty("users")[0].GetString()));
        Assert.Equal(5u, typist.Read(data.GetProperty("update").GetBytesFromBase64()));
    }

    [Fact]
    public async Task Messages_of_a_channel_are_told_as_its_readers_get_them()
    {
        await using var host = await StartAsync("channel.published");
        var channel = new ChannelClient(await host.ConnectAsync("ada"));
        var position = await channel.PublishAsync("chat", "said", new { text = "hi" }, "key-1");

        await _sink.UntilTakenAsync(1);

        var data = RecordingSink.DataOf(_sink.Taken.Single());
        Assert.Equal("chat", data.GetProperty("channel").GetString());
        Assert.Equal(position, data.GetProperty("position").GetString());
        var message = data.GetProperty("messages")[0].Deserialize<ChannelMessage>(JsonSerializerOptions.Web)!;
        Assert.Equal((position, "key-1", "said", "ada"), (message.Position, message.Id, message.Event, message.Publisher));
        Assert.Equal("""{"text":"hi"}""", ((JsonElement)message.Data!).GetRawText());
    }

    [Fact]
    public async Task An_event_is_a_CloudEvent_with_an_id_of_its_own()
    {
        await using var host = await StartAsync("channel.*", ("Collab:Events:Source", "https://collab.example.com"));
        var channel = new ChannelClient(await host.ConnectAsync());
        await channel.PublishAsync("chat", "said", 1);
        await channel.PublishAsync("chat", "said", 2);

        await _sink.UntilTakenAsync(2);

        var told = _sink.Taken.ToArray();
        Assert.NotEqual(told[0].Id, told[1].Id);
        var json = JsonElement.Parse(told[0].Json.Span);
        Assert.Equal(
            ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"], json.EnumerateObject().Select(property => property.Name));
        Assert.Equal("1.0", json.GetProperty("specversion").GetString());
        Assert.Equal(("https://collab.example.com", told[0].Id, "channels/chat"), (json.GetProperty("source").GetString(), json.GetProperty("id").GetString(), told[0].Subject));
        Assert.Equal(told[0].Time.UtcDateTime, json.GetProperty("time").GetDateTime());
    }

    [Fact]
    public async Task Who_comes_and_goes_what_is_stored_and_versions_are_told()
    {
        await using var host = await StartAsync(
            "*", ("Collab:Documents:StoredAfterMilliseconds", "50"), ("Collab:Versions:AtLeastSeconds", "0"), ("Collab:Versions:EverySeconds", "1"));
        var client = await host.ConnectAsync("ada");
        await client.JoinAsync("d");
        await client.PushAsync("d", new Typist(1).Type("hello"));
        await _sink.UntilAsync(sink => Types(sink).Contains("document.version_made"));
        await client.LeaveAsync("d");
        var channel = new ChannelClient(client);
        await channel.SubscribeAsync("chat", presence: new { name = "Ada" });
        await channel.UnsubscribeAsync("chat");

        await _sink.UntilAsync(sink => Types(sink).Contains("member.left") && Types(sink).Contains("document.left"));

        Assert.Equal(["document.changed", "document.joined", "document.left", "document.stored", "document.version_made"], TypesOf("documents/d"));
        Assert.Superset(new HashSet<string> { "member.joined", "member.left" }, TypesOf("channels/chat").ToHashSet());
        var joined = RecordingSink.DataOf(_sink.Taken.Single(one => one.Type == "collab.document.joined"));
        Assert.Equal(("ada", true), (joined.GetProperty("user").GetString(), joined.GetProperty("canWrite").GetBoolean()));
        var member = RecordingSink.DataOf(_sink.Taken.Single(one => one.Type == "collab.member.joined"));
        Assert.Equal("Ada", member.GetProperty("shows").GetProperty("name").GetString());
        var version = RecordingSink.DataOf(_sink.Taken.First(one => one.Type == "collab.document.version_made")).GetProperty("version");
        Assert.True(version.GetProperty("isAutomatic").GetBoolean());
    }

    [Fact]
    public async Task A_sink_gets_only_the_events_and_rooms_that_it_asked_for()
    {
        await using var host = await CollabTestHost.StartAsync(configure: collab => collab.AddEventSink(
            "one", new EventSubscription { Events = { "channel.published" }, Rooms = { "acme/*" } }, _ => _sink));
        var client = await host.ConnectAsync();
        var channel = new ChannelClient(client);
        await client.JoinAsync("acme/d");
        await client.PushAsync("acme/d", new Typist(1).Type("x"));
        await channel.PublishAsync("other/chat", "said", 1);
        await channel.PublishAsync("acme/chat", "said", 2);

        await _sink.UntilTakenAsync(1);

        Assert.Equal(["channels/acme/chat"], _sink.Taken.Select(one => one.Subject));
    }

    [Fact]
    public async Task A_message_that_is_published_again_under_its_key_is_told_once()
    {
        await using var host = await StartAsync("channel.published");
        var channel = new ChannelClient(await host.ConnectAsync());
        await channel.PublishAsync("chat", "said", 1, "a");
        await channel.PublishAsync("chat", "said", 1, "a");
        await channel.PublishAsync("chat", "said", 2, "b");

        await _sink.UntilTakenAsync(2);

        Assert.Equal(["a", "b"], _sink.Taken.Select(one => RecordingSink.DataOf(one).GetProperty("messages")[0].GetProperty("id").GetString()));
    }

    [Fact]
    public async Task Without_content_an_event_says_where_to_look()
    {
        await using var host = await CollabTestHost.StartAsync(configure: collab =>
            collab.AddEventSink("one", new EventSubscription { IncludeContent = false }, _ => _sink));
        var channel = new ChannelClient(await host.ConnectAsync());
        var position = await channel.PublishAsync("chat", "said", 1);

        await _sink.UntilTakenAsync(1);

        var data = RecordingSink.DataOf(_sink.Taken.Single());
        Assert.Equal(["channel", "after", "position", "users"], data.EnumerateObject().Select(property => property.Name));
        Assert.Equal(position, data.GetProperty("position").GetString());
    }

    [Fact]
    public async Task More_messages_than_fit_come_in_several_events_each_with_an_id()
    {
        await using var host = await StartAsync("channel.published", ("Collab:Events:MaxContentBytes", "2000"));
        var messages = Enumerable.Range(0, 20).Select(i => new { @event = "said", data = new string('x', 400) + i });
        (await host.PostAsync("/channels/chat/messages", JsonSerializer.Serialize(messages))).EnsureSuccessStatusCode();

        await _sink.UntilAsync(sink => sink.Taken.Sum(one => RecordingSink.DataOf(one).GetProperty("messages").GetArrayLength()) == 20);

        var told = _sink.Taken.ToArray();
        Assert.InRange(told.Length, 4, 10);
        Assert.Distinct(told.Select(one => one.Id));
        var data = told.Select(RecordingSink.DataOf).ToArray();
        Assert.Equal(data[..^1].Select(one => one.GetProperty("position").GetString()), data[1..].Select(one => one.GetProperty("after").GetString()));
    }

    [Fact]
    public async Task Changes_that_follow_each_other_are_told_as_one_where_that_is_asked_for()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Documents:BeatMilliseconds", "0")], collab =>
            collab.AddEventSink("one", new EventSubscription { Events = { "document.changed" }, DebounceMilliseconds = 300, DebounceAtMostMilliseconds = 60_000 }, _ => _sink));
        var (ada, ben) = (await host.ConnectAsync("ada"), await host.ConnectAsync("ben"));
        var (one, two) = (new Typist(1), new Typist(2));
        var start = (await ada.JoinAsync("d")).Position;
        await ben.JoinAsync("d");
        var last = "";
        for (var i = 0; i < 10; i++)
        {
            await ada.PushAsync("d", one.Type("a"));
            last = await ben.PushAsync("d", two.Type("b"));
        }

        await _sink.UntilAsync(sink => sink.Taken.Any(told => RecordingSink.DataOf(told).GetProperty("position").GetString() == last));

        var data = _sink.Taken.Select(RecordingSink.DataOf).ToArray();
        Assert.InRange(data.Length, 1, 5);
        Assert.Equal(start, data[0].GetProperty("after").GetString());
        Assert.Equal(10u, one.Read([.. data.Select(told => (ReadOnlyMemory<byte>)told.GetProperty("update").GetBytesFromBase64())]));
        Assert.Contains(data, told => told.GetProperty("users").GetArrayLength() == 2);
    }

    [Fact]
    public async Task Rooms_whose_changes_are_gathered_hold_up_no_other_however_much_goes_on_in_them()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Channels:PublishesPerSecond", "0")], collab =>
            collab.AddEventSink("one", new EventSubscription { DebounceMilliseconds = 60_000, DebounceAtMostMilliseconds = 60_000 }, _ => _sink));
        var client = await host.ConnectAsync();
        var channel = new ChannelClient(client);
        await Parallel.ForEachAsync(Enumerable.Range(0, 6_000), new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (i, _) =>
            await channel.PublishAsync("busy", "said", i));

        await client.JoinAsync("d");
        await _sink.UntilTakenAsync(1);

        Assert.Equal(["collab.document.joined"], _sink.Taken.Select(one => one.Type));
    }

    private Task<CollabTestHost> StartAsync(string events, params (string, string)[] settings) =>
        CollabTestHost.StartAsync(settings, collab => collab.AddEventSink("one", new EventSubscription { Events = { events } }, _ => _sink));

    private static IEnumerable<string> Types(RecordingSink sink) => sink.Taken.Select(one => one.Type[EventTypes.Prefix.Length..]);

    private IEnumerable<string> TypesOf(string subject) =>
        _sink.Taken.Where(one => one.Subject == subject).Select(one => one.Type[EventTypes.Prefix.Length..]).Distinct().Order(StringComparer.Ordinal);
}
