using System.Collections.Concurrent;
using System.Text.Json;
using Collab.Protocol;
using Collab.Testing;
using Collab.Testing.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Channels.Handlers;

/// <summary>An application's handlers are told what happens to channels, in order, and nobody waits for them.</summary>
public sealed class ChannelHandlerTests
{
    [Fact]
    public async Task Messages_and_members_are_told_in_their_order()
    {
        var recorder = new Recorder();
        await using var host = await StartAsync(recorder);
        var (ada, ben) = (new ChannelClient(await host.ConnectAsync("ada")), await host.ConnectAsync("ben"));

        await ada.SubscribeAsync("room", presence: new { mood = "good" });
        await ada.PublishAsync("room", "chat", new { text = "hi" });
        await new ChannelClient(ben).SubscribeAsync("room", presence: true);
        await ben.DisposeAsync();
        await recorder.UntilAsync(4);

        Assert.Equal(
            ["""joined ada {"mood":"good"}""", """chat {"text":"hi"} by ada""", "joined ben true", "left ben true"], recorder.Told);
    }

    [Fact]
    public async Task One_that_is_far_behind_is_told_all_and_in_order()
    {
        var recorder = new Recorder { IsHeld = true };
        await using var host = await StartAsync(recorder);
        var client = new ChannelClient(await host.ConnectAsync("ada"));
        for (var i = 0; i < 20; i++)
            await Task.WhenAll(Enumerable.Range(i * 100, 100).Select(n => client.PublishAsync("room", "n", n)));

        recorder.Release();

        await recorder.UntilAsync(2_000);
        var log = await client.HistoryAsync("room", limit: 1_000);
        Assert.Equal(
            log.Messages.Select(message => $"n {ChannelClient.JsonOf(message.Data)} by ada"), recorder.Told.TakeLast(1_000));
        Assert.Equal(2_000, recorder.Told.Distinct().Count());
        Assert.True(recorder.Calls < 100, $"{recorder.Calls} calls");
    }

    [Fact]
    public async Task What_fails_is_told_again_and_hurts_nobody()
    {
        var recorder = new Recorder { Failures = 2 };
        await using var host = await StartAsync(recorder);
        var client = new ChannelClient(await host.ConnectAsync("ada"));
        await client.SubscribeAsync("room");

        await client.PublishAsync("room", "n", 1);
        await client.PublishAsync("room", "n", 2);

        await recorder.UntilAsync(2);
        Assert.Equal(["n 1 by ada", "n 2 by ada"], recorder.Told);
    }

    [Fact]
    public async Task Each_message_is_told_on_the_node_that_took_it_in_and_nowhere_else()
    {
        await using var nodes = new InMemoryNodes();
        var (first, second) = (new Recorder(), new Recorder());
        var (one, two) = (
            await nodes.StartAsync(collab => collab.Services.AddSingleton<IChannelHandler>(first)),
            await nodes.StartAsync(collab => collab.Services.AddSingleton<IChannelHandler>(second)));
        var (here, there) = (new ChannelClient(await one.ConnectAsync("ada")), new ChannelClient(await two.ConnectAsync("ben")));
        await here.SubscribeAsync("room");
        await there.SubscribeAsync("room");

        for (var i = 0; i < 20; i++)
            await (i % 2 == 0 ? here : there).PublishAsync("room", "n", i);

        await first.UntilAsync(10);
        await second.UntilAsync(10);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"n {2 * i} by ada"), first.Told);
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"n {2 * i + 1} by ben"), second.Told);
    }

    [Fact]
    public async Task When_the_server_stops_handlers_are_told_what_is_left()
    {
        var recorder = new Recorder { IsHeld = true };
        await using var host = await StartAsync(recorder);
        var client = new ChannelClient(await host.ConnectAsync("ada"));
        await client.PublishAsync("room", "n", 1);
        await client.PublishAsync("room", "n", 2);

        var stopping = host.StopAsync();
        recorder.Release();
        await stopping;

        Assert.Equal(["n 1 by ada", "n 2 by ada"], recorder.Told);
    }

    private static Task<CollabTestHost> StartAsync(Recorder recorder) => CollabTestHost.StartAsync(
        [("Collab:Channels:PresenceGraceMilliseconds", "0"), ("Collab:Channels:PublishesPerSecond", "0")],
        collab => collab.Services.AddSingleton<IChannelHandler>(recorder));

    private sealed class Recorder : IChannelHandler
    {
        private readonly ConcurrentQueue<string> _told = new();
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _failures, _calls;

        public bool IsHeld { get; init; }

        public int Failures { init => _failures = value; }

        public int Calls => _calls;

        public IEnumerable<string> Told => _told;

        public void Release() => _released.SetResult();

        public async ValueTask PublishedAsync(ChannelContext channel, IReadOnlyList<ChannelMessage> messages, CancellationToken cancellationToken)
        {
            if (IsHeld)
                await _released.Task;
            Interlocked.Increment(ref _calls);
            if (Interlocked.Decrement(ref _failures) >= 0)
                throw new InvalidDataException("not now");
            foreach (var message in messages)
                _told.Enqueue($"{message.Event} {((JsonElement)message.Data!).GetRawText()} by {message.Publisher}");
        }

        public ValueTask JoinedAsync(ChannelContext channel, ChannelMember member, CancellationToken cancellationToken) => Tell("joined", member);

        public ValueTask LeftAsync(ChannelContext channel, ChannelMember member, CancellationToken cancellationToken) => Tell("left", member);

        public async Task UntilAsync(int count)
        {
            var deadline = DateTime.UtcNow.AddSeconds(20);
            while (_told.Count < count)
            {
                if (DateTime.UtcNow > deadline)
                    throw new TimeoutException($"{_told.Count} of {count} were told");
                await Task.Delay(5);
            }
        }

        private ValueTask Tell(string what, ChannelMember member)
        {
            _told.Enqueue($"{what} {member.UserId} {((JsonElement)member.Data!).GetRawText()}");
            return default;
        }
    }
}
