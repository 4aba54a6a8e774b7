using System.Diagnostics.Metrics;
using Collab.Protocol;
using Collab.Server;
using Collab.Server.Channels;
using Collab.Server.Consumers;
using Collab.Server.Rooms;
using Collab.Testing.Proxies;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Xunit;

namespace Collab.Testing.Consumers;

/// <summary>What every consumer promises that publishes from a bus, checked against the real bus.</summary>
public abstract class ConsumerConformance
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    private static readonly (string Key, string Value)[] Target = [("Name", "test"), ("ChannelField", "channel"), ("Channels:0", "orders:*")];

    // What nodes have in common.
    private readonly InMemoryRoomLog _log = new(TimeProvider.System);

    /// <summary>The configuration key of the consumer.</summary>
    protected abstract string Section { get; }

    /// <summary>Where the bus listens.</summary>
    protected abstract int Port { get; }

    /// <summary>The consumer's own settings: where it reads.</summary>
    /// <param name="port">Where it finds the bus.</param>
    protected abstract IEnumerable<(string Key, string Value)> Source(int port);

    /// <summary>Adds the bus to a server.</summary>
    protected abstract void Add(ICollabBuilder collab, IConfiguration configuration);

    /// <summary>Puts messages onto the bus.</summary>
    protected abstract Task SendAsync(IReadOnlyList<BusMessage> messages);

    /// <summary>How many messages the bus still has for the consumer, handed over or not.</summary>
    protected abstract Task<long> LeftAsync();

    /// <summary>Ends the bus without a word.</summary>
    protected abstract Task KillAsync();

    /// <summary>Starts it again with what it had.</summary>
    protected abstract Task StartAgainAsync();

    [Fact]
    public async Task Messages_are_published_in_order_as_what_they_say_and_acknowledged()
    {
        await using var host = await StartAsync(Port);
        var messages = Messages(2_000, channels: 4);

        await SendAsync(messages);

        await UntilPublishedAsync(messages);
    }

    [Fact]
    public async Task A_message_that_its_producer_sends_twice_is_published_once()
    {
        await using var host = await StartAsync(Port);
        var messages = Messages(50, channels: 2);

        await SendAsync([.. messages, .. messages]);

        await UntilPublishedAsync(messages);
    }

    [Fact]
    public async Task A_client_who_publishes_under_a_messages_id_does_not_take_its_place()
    {
        await using var host = await StartAsync(Port);
        var client = new ChannelClient(await host.ConnectAsync());
        await client.PublishAsync("orders:0", "forged", 1, "id-0");

        await SendAsync(Messages(1, channels: 1));

        await UntilAsync(async () => (await ReadAsync("orders:0")).Count == 2);
        Assert.Equal(["forged", "made-0"], (await ReadAsync("orders:0")).Select(message => message.Event));
    }

    [Fact]
    public async Task What_can_never_be_published_is_put_aside_and_holds_up_nothing()
    {
        var refused = 0L;
        using var listener = new MeterListener { InstrumentPublished = (instrument, listener) => ListenTo(instrument, "collab.consumers.refused", listener) };
        listener.SetMeasurementEventCallback<long>((_, count, _, _) => Interlocked.Add(ref refused, count));
        listener.Start();
        await using var host = await StartAsync(Port);
        var messages = Messages(20, channels: 1);
        BusMessage[] poison =
        [
            new("p1", "orders:0", "made", "{ no JSON"),
            new("p2", "orders:0", "made", $"\"{new string('x', 70_000)}\""),
            new("p3", "orders:0", "made", $"{new string('[', 100)}{new string(']', 100)}"),
            new("p4", "orders:0", "collab:gap", "1"),
            new("p5", "orders:0", new string('x', 200), "1"),
            new("p6", "elsewhere", "made", "1"),
            new("p7", "no name", "made", "1"),
            new(null, "orders:0", "made", "1"),
        ];

        await SendAsync([.. messages[..10], .. poison, .. messages[10..]]);

        await UntilPublishedAsync(messages);
        Assert.Empty(await ReadAsync("elsewhere"));
        Assert.Equal(poison.Length, refused);

        static void ListenTo(Instrument instrument, string name, MeterListener listener)
        {
            if (instrument.Name == name)
                listener.EnableMeasurementEvents(instrument);
        }
    }

    [Fact]
    public async Task A_consumer_that_dies_after_publishing_and_before_acknowledging_leaves_no_message_twice()
    {
        await using var relay = new TcpRelay(Port);
        var messages = Messages(300, channels: 2);
        await using var dying = await StartAsync(relay.Port, async publish =>
        {
            await publish();
            // From here on the bus hears nothing more of it.
            relay.Target = TcpRelay.FreePort();
            relay.CutAll();
            await Task.Delay(Timeout.Infinite);
        });
        await SendAsync(messages);
        await UntilAsync(async () => (await ReadAsync("orders:0")).Count > 0);

        await using var other = await StartAsync(Port);

        await UntilPublishedAsync(messages);
    }

    [Fact]
    public async Task A_message_of_which_the_store_did_not_say_whether_it_has_it_is_published_once()
    {
        var failures = 1;
        await using var host = await StartAsync(Port, async publish =>
        {
            await publish();
            if (Interlocked.Decrement(ref failures) >= 0)
                throw new CollabException(ErrorCodes.Unavailable, "the store is away");
        });
        var messages = Messages(100, channels: 2);

        await SendAsync(messages);

        await UntilPublishedAsync(messages);
    }

    [Fact]
    public async Task When_the_bus_was_killed_everything_is_published_once_and_in_order()
    {
        await using var host = await StartAsync(Port);
        var messages = Messages(1_000, channels: 2);
        await SendAsync(messages[..500]);
        await UntilAsync(async () => (await ReadAsync("orders:0")).Count > 0);

        await KillAsync();
        await StartAgainAsync();
        await SendAsync(messages[500..]);

        await UntilPublishedAsync(messages);
    }

    [Fact]
    public async Task One_node_at_a_time_reads_and_another_goes_on_where_it_stops()
    {
        var (first, second) = (0, 0);
        var a = await StartAsync(Port, publish => CountAsync(publish, ref first));
        await using var b = await StartAsync(Port, publish => CountAsync(publish, ref second));
        var messages = Messages(1_000, channels: 2);
        await SendAsync(messages[..500]);
        await UntilPublishedAsync(messages[..500]);

        Assert.True(first == 0 || second == 0);
        // Whichever it was: the others come while it stops.
        await Task.WhenAll(a.DisposeAsync().AsTask(), SendAsync(messages[500..]));

        await UntilPublishedAsync(messages);

        static Task CountAsync(Func<Task> publish, ref int count)
        {
            count++;
            return publish();
        }
    }

    /// <summary>Starts a server with a consumer that publishes to channels of orders.</summary>
    /// <param name="port">Where it finds the bus.</param>
    /// <param name="around">Done around each publishing.</param>
    /// <param name="more">More settings of the consumer.</param>
    protected async Task<CollabTestHost> StartAsync(int port, Func<Func<Task>, Task>? around = null, params (string Key, string Value)[] more)
    {
        var configuration = new ConfigurationBuilder();
        foreach (var settings in (IEnumerable<(string Key, string Value)>[])[Target, Source(port), more])
            configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create($"{Section}:{setting.Key}", (string?)setting.Value)));
        return await CollabTestHost.StartAsync(configure: collab =>
        {
            collab.Services.Replace(ServiceDescriptor.Singleton<IRoomLog>(_log));
            if (around is not null)
            {
                collab.Services.Replace(ServiceDescriptor.Singleton<IChannelIntake>(
                    services => new IntakeAround(ActivatorUtilities.CreateInstance<ChannelIntake>(services), around)));
            }

            Add(collab, configuration.Build());
        });
    }

    /// <summary>Waits until messages are all that is in their channels, in order, and nothing is left on the bus.</summary>
    protected async Task UntilPublishedAsync(IReadOnlyList<BusMessage> messages)
    {
        var channels = messages.GroupBy(message => message.Channel).ToArray();
        await UntilAsync(async () =>
        {
            foreach (var channel in channels)
            {
                if ((await ReadAsync(channel.Key)).Count < channel.Count())
                    return false;
            }

            return await LeftAsync() == 0;
        });
        foreach (var channel in channels)
        {
            Assert.Equal(
                channel.Select(message => (message.Id!, message.Event!, message.Data!)),
                (await ReadAsync(channel.Key)).Select(message => (message.Id, message.Event, message.Data!.ToString()!)));
        }
    }

    /// <summary>All messages of a channel.</summary>
    protected async Task<IReadOnlyList<ChannelMessage>> ReadAsync(string channel)
    {
        var page = await _log.ReadAsync(new RoomKey(RoomKind.Channel, channel), 0, 100_000, long.MaxValue, CancellationToken.None);
        return [.. page.Entries.Select(entry => ChannelEntry.Decode(page.Epoch, entry))];
    }

    protected static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!await condition())
            await Task.Delay(50, patience.Token);
    }

    protected static BusMessage[] Messages(int count, int channels) =>
        [.. Enumerable.Range(0, count).Select(i => new BusMessage($"id-{i}", $"orders:{i % channels}", $"made-{i % 3}", $$"""{"number":{{i}}}"""))];

    private sealed class IntakeAround(IChannelIntake inner, Func<Func<Task>, Task> around) : IChannelIntake
    {
        public async Task<IReadOnlyList<string?>> PublishAsync(
            ConsumerOptions consumer, IReadOnlyList<ConsumedMessage> messages, CancellationToken cancellationToken)
        {
            IReadOnlyList<string?> refusals = [];
            await around(async () => refusals = await inner.PublishAsync(consumer, messages, cancellationToken)).WaitAsync(cancellationToken);
            return refusals;
        }
    }
}

/// <summary>A message to put onto a bus.</summary>
/// <param name="Id">What identifies it.</param>
/// <param name="Channel">Its channel.</param>
/// <param name="Event">Its event.</param>
/// <param name="Data">Its data, which should be JSON.</param>
public sealed record BusMessage(string? Id, string Channel, string? Event, string? Data);
