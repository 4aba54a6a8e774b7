using System.Net;
using System.Text.Json;
using Collab.Protocol;
using Collab.Server.Rooms;
using Collab.Testing;
using Collab.Testing.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Events;

/// <summary>That events arrive, in order, whatever their sink does.</summary>
public sealed class EventDeliveryTests
{
    private const string Administers = """[{ "admin": true }]""";

    private static readonly (string, string)[] QuickRetries = [.. Enumerable.Range(0, 20).Select(i => ($"Collab:Events:RetrySeconds:{i}", "0.02"))];

    private readonly RecordingSink _sink = new();

    [Fact]
    public async Task Events_of_one_room_come_in_order_and_those_of_others_do_not_wait_for_them()
    {
        await using var host = await StartAsync();
        var channel = new ChannelClient(await host.ConnectAsync());
        var isHeld = true;
        _sink.Answer = one => isHeld && one.Subject == "channels/a" ? EventOutcome.Failed("not yet") : EventOutcome.Delivered;
        for (var i = 0; i < 20; i++)
        {
            await channel.PublishAsync("a", "said", i);
            await channel.PublishAsync("b", "said", i);
        }

        await _sink.UntilTakenAsync(20);
        isHeld = false;
        await _sink.UntilTakenAsync(40);

        Assert.All(_sink.Taken.Take(20), one => Assert.Equal("channels/b", one.Subject));
        Assert.Equal(Enumerable.Range(0, 20), NumbersOf("channels/a"));
        Assert.Equal(Enumerable.Range(0, 20), NumbersOf("channels/b"));
    }

    [Fact]
    public async Task An_event_that_fails_comes_again_with_the_same_id_and_content()
    {
        await using var host = await StartAsync();
        var channel = new ChannelClient(await host.ConnectAsync());
        var failures = 0;
        _sink.Answer = _ => failures++ < 2 ? EventOutcome.Failed("not yet") : EventOutcome.Delivered;
        await channel.PublishAsync("a", "said", 1);

        await _sink.UntilTakenAsync(1);

        var attempts = _sink.Attempts.Select(attempt => attempt.Event).ToArray();
        Assert.Equal(3, attempts.Length);
        Assert.Single(attempts.Select(one => one.Id).Distinct());
        Assert.Single(attempts.Select(one => Convert.ToBase64String(one.Json.Span)).Distinct());
    }

    [Fact]
    public async Task What_a_sink_throws_is_a_failure_like_others()
    {
        await using var host = await StartAsync();
        var channel = new ChannelClient(await host.ConnectAsync());
        var calls = 0;
        _sink.Answer = _ => calls++ == 0 ? throw new InvalidOperationException("It is broken.") : EventOutcome.Delivered;
        await channel.PublishAsync("a", "said", 1);

        await _sink.UntilTakenAsync(1);

        Assert.Equal(2, calls);
    }

    [Fact]
    public async Task A_room_that_fails_long_has_all_its_events_in_order_when_it_fails_no_more()
    {
        await using var host = await StartAsync();
        var channel = new ChannelClient(await host.ConnectAsync());
        var isHeld = true;
        _sink.Answer = one => isHeld && one.Subject == "channels/a" ? EventOutcome.Failed("not yet") : EventOutcome.Delivered;
        await channel.PublishAsync("a", "said", 0);
        for (var i = 1; i < 400; i++)
        {
            await channel.PublishAsync("a", "said", i);
            if (i % 20 == 0)
                await channel.PublishAsync("b", "said", i / 20);
        }

        await _sink.UntilAsync(sink => sink.Attempts.Count(attempt => attempt.Event.Subject == "channels/a") > 5 && sink.Taken.Any());
        isHeld = false;
        await _sink.UntilTakenAsync(419);

        Assert.Equal(Enumerable.Range(0, 400), NumbersOf("channels/a"));
    }

    [Fact]
    public async Task A_sink_that_is_away_is_left_alone_and_gets_everything_when_it_is_back()
    {
        await using var host = await StartAsync();
        var channel = new ChannelClient(await host.ConnectAsync());
        var isAway = true;
        _sink.Answer = _ => isAway ? EventOutcome.Failed("away") : EventOutcome.Delivered;
        for (var i = 0; i < 300; i++)
            await channel.PublishAsync($"c{i % 50}", "said", i);
        await _sink.UntilAsync(sink => sink.Attempts.Count > 8);

        isAway = false;
        await _sink.UntilTakenAsync(300);

        for (var room = 0; room < 50; room++)
            Assert.Equal(Enumerable.Range(0, 6).Select(i => room + (i * 50)), NumbersOf($"channels/c{room}"));
    }

    [Fact]
    public async Task A_sink_that_asks_for_time_is_not_asked_before()
    {
        await using var host = await StartAsync();
        var channel = new ChannelClient(await host.ConnectAsync());
        var asked = DateTime.MinValue;
        var early = 0;
        _sink.Answer = _ =>
        {
            if (asked == DateTime.MinValue)
            {
                asked = DateTime.UtcNow;
                return EventOutcome.Failed("busy", TimeSpan.FromSeconds(1));
            }

            early += DateTime.UtcNow - asked < TimeSpan.FromSeconds(0.95) ? 1 : 0;
            return EventOutcome.Delivered;
        };
        await channel.PublishAsync("a", "said", 0);
        await _sink.UntilAsync(sink => sink.Attempts.Count == 1);
        for (var i = 0; i < 10; i++)
            await channel.PublishAsync($"b{i}", "said", i);

        await _sink.UntilTakenAsync(11);

        Assert.Equal(0, early);
    }

    [Fact]
    public async Task An_event_that_is_refused_is_a_dead_letter_and_those_after_it_come()
    {
        await using var host = await StartAsync();
        var channel = new ChannelClient(await host.ConnectAsync());
        _sink.Answer = one => NumberOf(one) == 1 ? EventOutcome.Refused("I do not like it") : EventOutcome.Delivered;
        for (var i = 0; i < 3; i++)
            await channel.PublishAsync("a", "said", i);
        await _sink.UntilTakenAsync(2);

        Assert.Equal([0, 2], NumbersOf("channels/a"));
        var letter = (await LettersAsync(host)).Single();
        Assert.Equal(("I do not like it", "channels/a", "collab.channel.published"), (letter.Reason, letter.Subject, letter.Type));
        Assert.Equal(1, letter.Event.GetProperty("data").GetProperty("messages")[0].GetProperty("data").GetInt32());
    }

    [Fact]
    public async Task An_event_that_fails_at_every_attempt_is_a_dead_letter()
    {
        await using var host = await StartAsync(("Collab:Events:RetrySeconds:0", "0.02"), ("Collab:Events:RetrySeconds:1", "0.02"));
        var channel = new ChannelClient(await host.ConnectAsync());
        _sink.Answer = one => NumberOf(one) == 0 ? EventOutcome.Failed("never") : EventOutcome.Delivered;
        await channel.PublishAsync("a", "said", 0);
        await channel.PublishAsync("a", "said", 1);

        await _sink.UntilTakenAsync(1);

        Assert.Equal(3, _sink.Attempts.Count(attempt => !attempt.IsTaken));
        Assert.Equal(("never", 3), (await LettersAsync(host)).Select(letter => (letter.Reason, letter.Attempts)).Single());
    }

    [Fact]
    public async Task Dead_letters_are_sent_again_by_an_operator_and_gone_when_they_arrive()
    {
        await using var host = await StartAsync();
        var channel = new ChannelClient(await host.ConnectAsync());
        _sink.Answer = _ => EventOutcome.Refused("no");
        for (var i = 0; i < 3; i++)
            await channel.PublishAsync("a", "said", i);
        await _sink.UntilAsync(sink => sink.Attempts.Count == 3);
        await UntilAsync(async () => (await LettersAsync(host)).Count == 3);
        var letters = await LettersAsync(host);
        _sink.Answer = one => NumberOf(one) == 2 ? EventOutcome.Failed("still not") : EventOutcome.Delivered;

        using var one = await host.PostAsync($"/admin/events/one/dead-letters/resend?id={letters[1].Id}", "", grants: Administers);
        using var rest = await host.PostAsync("/admin/events/one/dead-letters/resend", "", grants: Administers);

        Assert.Equal([letters[1].Id], (await one.JsonAsync()).GetProperty("delivered").Deserialize<string[]>()!);
        var answer = await rest.JsonAsync();
        Assert.Equal([letters[0].Id], answer.GetProperty("delivered").Deserialize<string[]>()!);
        Assert.Equal("still not", answer.GetProperty("fault").GetString());
        Assert.Equal([1, 0], NumbersOf("channels/a"));
        Assert.Equal([letters[2].Id], (await LettersAsync(host)).Select(letter => letter.Id));
        using var gone = await host.SendAsync(HttpMethod.Delete, $"/admin/events/one/dead-letters/{letters[2].Id}", grants: Administers);
        Assert.Equal(HttpStatusCode.NoContent, gone.StatusCode);
        Assert.Empty(await LettersAsync(host));
    }

    [Fact]
    public async Task A_sink_that_wants_no_more_gets_nothing_until_it_is_enabled_again()
    {
        await using var host = await StartAsync();
        var channel = new ChannelClient(await host.ConnectAsync());
        _sink.Answer = _ => EventOutcome.Gone("410 Gone");
        await channel.PublishAsync("a", "said", 0);
        await UntilAsync(async () => (await StatusAsync(host)).GetProperty("disabled").GetString() == "410 Gone");
        var attempts = _sink.Attempts.Count;
        _sink.Answer = _ => EventOutcome.Delivered;
        for (var i = 1; i < 5; i++)
            await channel.PublishAsync("a", "said", i);
        Assert.Equal(attempts, _sink.Attempts.Count);

        using var enabled = await host.PostAsync("/admin/events/one/enable", "", grants: Administers);
        await _sink.UntilTakenAsync(5);

        Assert.Equal(HttpStatusCode.NoContent, enabled.StatusCode);
        Assert.Equal(Enumerable.Range(0, 5), NumbersOf("channels/a"));
        Assert.Equal(JsonValueKind.Null, (await StatusAsync(host)).GetProperty("disabled").ValueKind);
    }

    [Fact]
    public async Task Only_those_who_administer_see_or_change_what_becomes_of_events()
    {
        await using var host = await StartAsync();

        using var read = await host.GetAsync("/admin/events");
        using var letters = await host.GetAsync("/admin/events/one/dead-letters");
        using var resend = await host.PostAsync("/admin/events/one/dead-letters/resend", "");
        using var enable = await host.PostAsync("/admin/events/one/enable", "");
        using var unknown = await host.GetAsync("/admin/events/other/dead-letters", grants: Administers);

        Assert.All([read, letters, resend, enable], answer => Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode));
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task What_was_not_delivered_when_the_server_ended_comes_after_its_start()
    {
        var log = new InMemoryRoomLog(TimeProvider.System);
        _sink.Answer = one => NumberOf(one) < 5 ? EventOutcome.Delivered : EventOutcome.Failed("not yet");
        await using (var host = await CollabTestHost.StartAsync(QuickRetries, collab => Add(collab, log, _sink)))
        {
            var channel = new ChannelClient(await host.ConnectAsync());
            for (var i = 0; i < 20; i++)
                await channel.PublishAsync("a", "said", i);
            await _sink.UntilTakenAsync(5);
        }

        var sink = new RecordingSink();
        await using var again = await CollabTestHost.StartAsync(QuickRetries, collab => Add(collab, log, sink));
        await sink.UntilTakenAsync(15);

        Assert.Equal(Enumerable.Range(5, 15), sink.Taken.Select(NumberOf));
        Assert.Equal(_sink.Attempts.Last().Event.Id, sink.Taken.First().Id);
    }

    [Fact]
    public async Task A_sink_that_is_added_begins_with_what_happens_then()
    {
        var log = new InMemoryRoomLog(TimeProvider.System);
        await using (var host = await CollabTestHost.StartAsync(configure: collab => Add(collab, log, _sink)))
        {
            await new ChannelClient(await host.ConnectAsync()).PublishAsync("a", "said", 0);
            await _sink.UntilTakenAsync(1);
        }

        var added = new RecordingSink();
        await using var again = await CollabTestHost.StartAsync(configure: collab =>
        {
            Add(collab, log, _sink);
            collab.AddEventSink("two", new EventSubscription(), _ => added);
        });
        await new ChannelClient(await again.ConnectAsync()).PublishAsync("a", "said", 1);
        await added.UntilTakenAsync(1);

        Assert.Equal([1], added.Taken.Select(NumberOf));
    }

    [Fact]
    public async Task Events_of_one_room_are_handed_over_many_at_once_to_whom_can_take_them()
    {
        var sink = new RecordingSink { MaxBatch = 10 };
        var gate = new TaskCompletionSource();
        sink.Gate = gate.Task;
        await using var host = await CollabTestHost.StartAsync(configure: collab => collab.AddEventSink("one", new EventSubscription(), _ => sink));
        var channel = new ChannelClient(await host.ConnectAsync());
        for (var i = 0; i < 30; i++)
            await channel.PublishAsync("a", "said", i);
        gate.SetResult();

        await sink.UntilTakenAsync(30);

        Assert.Equal(Enumerable.Range(0, 30), sink.Taken.Select(NumberOf));
        Assert.Equal(10, sink.LargestBatch);
    }

    [Fact]
    public async Task One_node_of_several_delivers_and_another_goes_on_when_it_ends()
    {
        await using var nodes = new InMemoryNodes();
        var (first, second) = (new RecordingSink(), new RecordingSink());
        var a = await nodes.StartAsync(collab => collab.AddEventSink("one", new EventSubscription(), _ => first));
        var b = await nodes.StartAsync(collab => collab.AddEventSink("one", new EventSubscription(), _ => second));
        var (ada, ben) = (new ChannelClient(await a.ConnectAsync("ada")), new ChannelClient(await b.ConnectAsync("ben")));
        for (var i = 0; i < 10; i++)
            await (i % 2 == 0 ? ada : ben).PublishAsync("chat", "said", i);
        await first.UntilAsync(sink => sink.Taken.Count() + second.Taken.Count() == 10);
        var (busy, idle) = first.Taken.Any() ? (first, second) : (second, first);
        Assert.Empty(idle.Taken);
        Assert.Equal(Enumerable.Range(0, 10), busy.Taken.Select(NumberOf));

        await (busy == first ? a : b).StopAsync();
        var rest = busy == first ? ben : ada;
        for (var i = 10; i < 20; i++)
            await rest.PublishAsync("chat", "said", i);
        await idle.UntilTakenAsync(10);

        Assert.Equal(Enumerable.Range(10, 10), idle.Taken.Select(NumberOf));
    }

    [Fact]
    public async Task The_outbox_forgets_what_all_sinks_have_got()
    {
        await using var host = await StartAsync();
        var log = host.Services.GetRequiredService<IRoomLog>();
        var channel = new ChannelClient(await host.ConnectAsync());
        for (var i = 0; i < 20; i++)
            await channel.PublishAsync("a", "said", i);
        await _sink.UntilTakenAsync(20);

        await UntilAsync(async () => (await log.ReadAsync(EventOutbox.KeyOf(0), 0, 100, 100_000, default)).Trimmed == 20);
    }

    private static void Add(ICollabBuilder collab, IRoomLog log, RecordingSink sink)
    {
        collab.Services.AddSingleton(log);
        collab.AddEventSink("one", new EventSubscription(), _ => sink);
    }

    private Task<CollabTestHost> StartAsync(params (string, string)[] settings) => CollabTestHost.StartAsync(
        settings.Length > 0 ? settings : QuickRetries, collab => collab.AddEventSink("one", new EventSubscription { Events = { "channel.published" } }, _ => _sink));

    private static int NumberOf(OutgoingEvent one) => RecordingSink.DataOf(one).GetProperty("messages")[0].GetProperty("data").GetInt32();

    private IEnumerable<int> NumbersOf(string subject) => _sink.Taken.Where(one => one.Subject == subject).Select(NumberOf);

    private static async Task<IReadOnlyList<DeadLetter>> LettersAsync(CollabTestHost host)
    {
        using var answer = await host.GetAsync("/admin/events/one/dead-letters", grants: Administers);
        return (await answer.EnsureSuccessStatusCode().JsonAsync()).GetProperty("letters").Deserialize<DeadLetter[]>(JsonSerializerOptions.Web)!;
    }

    private static async Task<JsonElement> StatusAsync(CollabTestHost host)
    {
        using var answer = await host.GetAsync("/admin/events", grants: Administers);
        return (await answer.EnsureSuccessStatusCode().JsonAsync())[0];
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await condition())
            await Task.Delay(20, patience.Token);
    }
}
