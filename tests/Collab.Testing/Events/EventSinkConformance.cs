using System.Collections.Concurrent;
using Collab.Server.Events;
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

        var received = await ReadAsync(() => sink.ReadAsync(), 2_000);
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
        await StartAgainAsync();
        await sending.WaitAsync(Patience);

        var received = await ReadAsync(() => sink.ReadAsync(), 1_200);
        foreach (var room in rooms)
        {
            var once = received.Where(one => one.Subject == room[0].Subject).DistinctBy(one => one.Id);
            Assert.Equal(room.Select(Received.Of), once);
        }
    }

    [Fact]
    public async Task A_bus_that_is_away_fails_a_sending_and_is_found_when_it_is_there()
    {
        await KillAsync();
        await using var sink = await OpenAsync();
        var room = Rooms(count: 1, events: 3)[0];

        Assert.False(await IsDeliveredAsync(sink.Sink, room));
        await StartAgainAsync();
        await SendAsync(sink.Sink, room);

        var received = await ReadAsync(() => sink.ReadAsync(), 3);
        Assert.Equal(room.Select(Received.Of), received.DistinctBy(one => one.Id));
    }

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
    private static async Task<List<Received>> ReadAsync(Func<Task<IReadOnlyList<Received>>> read, int distinct)
    {
        using var patience = new CancellationTokenSource(Patience);
        var all = new List<Received>();
        while (all.DistinctBy(one => one.Id).Count() < distinct)
        {
            patience.Token.ThrowIfCancellationRequested();
            all.AddRange(await read());
        }

        all.AddRange(await read());
        return all;
    }
}

/// <summary>A sink, and a reader of where it sends to.</summary>
/// <param name="Sink">The sink.</param>
/// <param name="ReadAsync">Reads what has come since the last call; may be nothing.</param>
/// <param name="Close">Ends both.</param>
public sealed record OpenSink(IEventSink Sink, Func<Task<IReadOnlyList<Received>>> ReadAsync, Func<ValueTask> Close) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Close();
}

/// <summary>An event as it was on the bus.</summary>
public sealed record Received(string Id, string Type, string Subject, string Json)
{
    public static Received Of(OutgoingEvent one) => new(one.Id, one.Type, one.Subject, System.Text.Encoding.UTF8.GetString(one.Json.Span));
}
