using System.Collections.Concurrent;
using System.Text.Json;
using Collab.Protocol;
using Microsoft.AspNetCore.SignalR.Client;

namespace Collab.Testing;

/// <summary>The channels' half of the hub, as a SignalR client calls it: keeps what it is told, in the order in which it came.</summary>
public sealed class ChannelClient
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly SemaphoreSlim _news = new(0);
    private readonly HubConnection _connection;

    public ChannelClient(TestClient client)
    {
        ArgumentNullException.ThrowIfNull(client);
        Client = client;
        _connection = client.Connection;
        _connection.On<string, ChannelMessage>(HubContract.MessageReceived, (channel, message) =>
        {
            Received.Enqueue((channel, message));
            _news.Release();
        });
        _connection.On<string, MembersChanged>(HubContract.MembersChanged, (channel, change) =>
        {
            Changes.Enqueue((channel, change));
            _news.Release();
        });
        _connection.On<string, string>(HubContract.ChannelClosed, (channel, reason) =>
        {
            Closed.Enqueue((channel, reason));
            _news.Release();
        });
    }

    public TestClient Client { get; }

    /// <summary>What came live, in order.</summary>
    public ConcurrentQueue<(string Channel, ChannelMessage Message)> Received { get; } = new();

    public ConcurrentQueue<(string Channel, MembersChanged Change)> Changes { get; } = new();

    public ConcurrentQueue<(string Channel, string Reason)> Closed { get; } = new();

    /// <summary>The data of what came live, as JSON.</summary>
    public IEnumerable<string> Data => Received.Select(received => JsonOf(received.Message.Data));

    public async Task<SubscribedChannel> SubscribeAsync(string channel, string? after = null, int? rewind = null, object? presence = null) =>
        await _connection.InvokeAsync<SubscribedChannel>(
            "Subscribe", channel, new SubscribeOptions { After = after, Rewind = rewind, Presence = presence });

    public Task<string> PublishAsync(string channel, string @event, object? data, string? key = null) =>
        _connection.InvokeAsync<string>("Publish", channel, @event, data, key);

    public Task<ChannelHistory> HistoryAsync(string channel, string? after = null, string? before = null, int? limit = null) =>
        _connection.InvokeAsync<ChannelHistory>(
            "GetHistory", channel, new HistoryOptions { After = after, Before = before, Limit = limit });

    public Task<IReadOnlyList<ChannelMember>> MembersAsync(string channel) =>
        _connection.InvokeAsync<IReadOnlyList<ChannelMember>>("GetMembers", channel);

    public Task UnsubscribeAsync(string channel) => _connection.InvokeAsync("Unsubscribe", channel);

    /// <summary>Waits until what was received satisfies a condition.</summary>
    public async Task UntilAsync(Func<ChannelClient, bool> condition)
    {
        var deadline = DateTime.UtcNow + Patience;
        while (!condition(this))
        {
            if (!await _news.WaitAsync(deadline - DateTime.UtcNow is { Ticks: > 0 } left ? left : TimeSpan.Zero) && !condition(this))
                throw new TimeoutException($"It did not happen within {Patience.TotalSeconds} s; received: {string.Join(' ', Data)}");
        }
    }

    /// <summary>A value as JSON, whichever hub protocol it came by.</summary>
    public static string JsonOf(object? value) => JsonSerializer.Serialize(Plain(value));

    // MessagePack's maps have keys of any type.
    private static object? Plain(object? value) => value switch
    {
        IDictionary<object, object> map => map.ToDictionary(entry => (string)entry.Key, entry => Plain(entry.Value)),
        object[] list => list.Select(Plain).ToArray(),
        _ => value,
    };
}
