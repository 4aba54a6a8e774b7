using System.Collections.Concurrent;
using System.Text.Json;
using Collab.Server;
using Collab.Server.Events;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Collab.Testing.Events;

/// <summary>What every sink for events promises, checked against the real bus.</summary>
public abstract class EventSinkConformance
{
    private const string Source = "https://collab.test";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);

    [Fact]
    public async Task Events_arrive_once_with_their_ids_and_in_the_order_of_their_rooms()
    {
        await using var sink = await OpenAsync();
        var rooms = Rooms(count: 8, events: 250);

        await Task.WhenAll(rooms.Select(room => SendAsync(sink.Sink, room)));

        var received = await ReadAsync(sink.ReadAsync, Has(2_000));
        Assert.Equal(2_000, received.Count);
        foreach (var room in rooms)
            Assert.Equal(room.Select(Received.Of), received.Where(one => one.Subject == room[0].Subject));
    }

    [Fact]
    public async Task A_bus_that_is_killed_and_comes_back_has_everything_in_order_and_what_it_has_twice_has_the_same_id()
    {
        await using var sink = await OpenAsync();
        var rooms = Rooms(count: 4, events: 300);
        var failed = new TaskCompletionSource();
        var delivered = new ConcurrentQueue<int>();
        var underWay = new TaskCompletionSource();

        var sending = Task.WhenAll(rooms.Select(room => SendAsync(
            sink.Sink,
            room,
            () => failed.TrySetResult(),
            count =>
            {
                delivered.Enqueue(count);
                if (delivered.Sum() > 100)
                    underWay.TrySetResult();
            })));
        await underWay.Task.WaitAsync(Patience);
        await KillAsync();
        await failed.Task.WaitAsync(Patience);
        // One that has never found the bus is no worse off.
        await using var late = await OpenAsync();
        OutgoingEvent[] lateEvents = [EventOf("channels/late", "late-1"), EventOf("channels/late", "late-2")];
        Assert.False(await IsDeliveredAsync(late.Sink, lateEvents[..1]));
        await StartAgainAsync();
        await Task.WhenAll(sending, SendAsync(late.Sink, lateEvents)).WaitAsync(Patience);

        var received = await ReadAsync(sink.ReadAsync, Has(1_202));
        foreach (var room in rooms.Append(lateEvents))
        {
            var once = received.Where(one => one.Subject == room[0].Subject).DistinctBy(one => one.Id);
            Assert.Equal(room.Select(Received.Of), once);
        }
    }

    [Fact]
    public async Task What_happens_in_a_server_whose_settings_name_the_bus_is_there_in_order()
    {
        await using var sink = await OpenAsync();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([
            KeyValuePair.Create($"{Section}:Name", (string?)"bus"),
            KeyValuePair.Create($"{Section}:Events:0", (string?)"channel.published"),
            .. sink.Settings.Select(setting => KeyValuePair.Create($"{Section}:{setting.Key}", (string?)setting.Value)),
        ]).Build();
        await using var host = await CollabTestHost.StartAsync(configure: collab => Add(collab, configuration));
        var channel = new ChannelClient(await host.ConnectAsync());

        var positions = new List<string>();
        for (var i = 0; i < 20; i++)
            positions.Add(await channel.PublishAsync("chat", "said", i));

        var received = await ReadAsync(sink.ReadAsync, received => MessagesOf(received).Count() >= 20);
        Assert.All(received, one => Assert.Equal(("collab.channel.published", "channels/chat"), (one.Type, one.Subject)));
        Assert.Equal(positions, MessagesOf(received).Select(message => message.GetProperty("position").GetString()));

        static IEnumerable<JsonElement> MessagesOf(IEnumerable<Received> received) =>
            received.SelectMany(one => JsonElement.Parse(one.Json).GetProperty("data").GetProperty("messages").EnumerateArray());
    }

    /// <summary>The configuration key of the sink.</summary>
    protected abstract string Section { get; }

    /// <summary>Adds the bus to a server.</summary>
    protected abstract void Add(ICollabBuilder collab, IConfiguration configuration);

    /// <summary>Makes a sink to a place on the bus where nothing is yet.</summary>
    protected abstract Task<OpenSink> OpenAsync();

    /// <summary>Ends the bus without a word.</summary>
    protected abstract Task KillAsync();

    /// <summary>Starts it again with what it had.</summary>
    protected abstract Task StartAgainAsync();

    /// <summary>Sends events as the dispatcher does: batch after batch, each until it is delivered.</summary>
    public static async Task SendAsync(IEventSink sink, IReadOnlyList<OutgoingEvent> events, Action? failed = null, Action<int>? delivered = null)
    {
        using var patience = new CancellationTokenSource(Patience);
        foreach (var batch in events.Chunk(sink.MaxBatch))
        {
            while (!await IsDeliveredAsync(sink, batch))
            {
                failed?.Invoke();
                await Task.Delay(50, patience.Token);
            }

            delivered?.Invoke(batch.Length);
        }
    }

    /// <summary>Events of rooms, each with ids of its own.</summary>
    public static OutgoingEvent[][] Rooms(int count, int events) =>
    [
        .. Enumerable.Range(0, count).Select(room => Enumerable.Range(0, events).Select(i => EventOf($"channels/room-{room}", $"{room}-{i}")).ToArray()),
    ];

    public static OutgoingEvent EventOf(string subject, string id)
    {
        var time = DateTimeOffset.UnixEpoch.AddSeconds(1);
        var json = $$$"""{"specversion":"1.0","id":"{{{id}}}","type":"collab.channel.published","source":"{{{Source}}}","subject":"{{{subject}}}","time":"{{{time:O}}}","data":{"text":"{{{id}}}"}}""";
        return new OutgoingEvent(id, "collab.channel.published", Source, subject, time, System.Text.Encoding.UTF8.GetBytes(json));
    }

    private static async Task<bool> IsDeliveredAsync(IEventSink sink, IReadOnlyList<OutgoingEvent> events)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            return await sink.SendAsync(events, patience.Token) == EventOutcome.Delivered;
        }
        catch (Exception) when (!patience.IsCancellationRequested)
        {
            return false;
        }
    }

    // What comes after the last that was expected would be too much: it is waited for no longer than for one more look.
    private static async Task<List<Received>> ReadAsync(Func<Task<IReadOnlyList<Received>>> read, Func<List<Received>, bool> isAll)
    {
        using var patience = new CancellationTokenSource(Patience);
        var all = new List<Received>();
        while (!isAll(all))
        {
            patience.Token.ThrowIfCancellationRequested();
            all.AddRange(await read());
        }

        all.AddRange(await read());
        return all;
    }

    private static Func<List<Received>, bool> Has(int distinct) => received => received.DistinctBy(one => one.Id).Count() >= distinct;
}

/// <summary>A sink, and a reader of where it sends to.</summary>
/// <param name="Sink">The sink.</param>
/// <param name="Settings">The settings of one to the same place.</param>
/// <param name="ReadAsync">Reads what has come since the last call; may be nothing.</param>
/// <param name="Close">Ends both.</param>
public sealed record OpenSink(IEventSink Sink, IReadOnlyList<(string Key, string Value)> Settings, Func<Task<IReadOnlyList<Received>>> ReadAsync, Func<ValueTask> Close) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Close();
}

/// <summary>An event as it was on the bus.</summary>
public sealed record Received(string Id, string Type, string Subject, string Json)
{
    public static Received Of(OutgoingEvent one) => new(one.Id, one.Type, one.Subject, System.Text.Encoding.UTF8.GetString(one.Json.Span));
}
