using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Collab.Protocol;

namespace Collab.Client;

/// <summary>
/// A channel: ordered messages with a history, and who is there. Subscriptions and what waits to be published outlive reconnects.
/// <see cref="CollabConnection.Channel"/> makes it. Safe for use by several threads; handlers are called where the connection's are.
/// </summary>
public sealed class Channel
{
    private readonly CollabConnection _connection;
    private readonly ChannelFeed _feed;
    private readonly PublishQueue _queue;
    private bool _isEnded;

    internal Channel(CollabConnection connection, string name, int publishQueue)
    {
        _connection = connection;
        Name = name;
        _feed = new ChannelFeed(connection, name);
        _queue = new PublishQueue(connection, name, publishQueue);
    }

    /// <summary>The channel's name, with the filter if there is one.</summary>
    public string Name { get; }

    private CollabException Ended => new(ClientErrorCodes.Disconnected, $"Channel \"{Name}\": the connection was closed for good.");

    /// <summary>
    /// Calls <paramref name="handler"/> for each message, once and in order, until the subscription is disposed; after a reconnect it goes
    /// on where it was, and <see cref="ChannelSubscribeOptions.OnGap"/> tells when that is not possible.
    /// </summary>
    /// <param name="handler">Called for each message. See <see cref="ChannelData"/> for its data.</param>
    /// <param name="options">How to subscribe.</param>
    public ChannelSubscription Subscribe(Action<ChannelMessage> handler, ChannelSubscribeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        if (options?.Filter is { } filter)
            return _connection.Channel($"{Name}?{filter}").Subscribe(handler, options.WithoutFilter());
        var reader = new ChannelReader(handler, options ?? new ChannelSubscribeOptions(), _connection.Context.Tell);
        _connection.Context.Post(() =>
        {
            if (_isEnded)
                reader.End(Ended, isRefused: false);
            else
                _feed.Add(reader);
        });
        return new ChannelSubscription(reader, () => _connection.Context.Post(() => _feed.Remove(
            reader, new CollabException(ClientErrorCodes.Unsubscribed, $"The subscription to \"{Name}\" was ended."))));
    }

    /// <summary>
    /// Subscribes, and gives each message once and in order until cancelled. A reader that is slower than the channel is not given what
    /// piles up but reads the history on from where he is, so the memory that he costs is bounded.
    /// </summary>
    /// <param name="options">How to subscribe.</param>
    /// <param name="cancellationToken">Ends the subscription.</param>
    /// <exception cref="CollabException">The server refused or ended the subscription.</exception>
    public async IAsyncEnumerable<ChannelMessage> ReadAsync(
        ChannelSubscribeOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var stream = new ChannelStream(this, options ?? new ChannelSubscribeOptions());
        while (await stream.NextAsync(cancellationToken).ConfigureAwait(false) is { } messages)
        {
            foreach (var message in messages)
                yield return message;
        }
    }

    /// <summary>
    /// Publishes a message. It waits for the connection if there is none, is sent again until the server has acknowledged it, and stands in
    /// the log once; those of one channel in the order of the calls. The server remembers keys for a while only (five minutes by default).
    /// </summary>
    /// <param name="eventName">1 to 128 characters without control characters; not beginning with <c>collab:</c>.</param>
    /// <param name="data">Any JSON value.</param>
    /// <param name="idempotencyKey">Tells a repeat, also over another connection; made up when not given.</param>
    /// <returns>The message's position, once it is durable.</returns>
    /// <exception cref="CollabException">
    /// <c>queue_full</c> when too many messages wait already; the server's when it refuses, such as <c>forbidden</c> or <c>too_large</c>;
    /// <c>disconnected</c> when the connection is closed for good first. <c>rate_limited</c> and <c>unavailable</c> are tried again.
    /// </exception>
    public Task<string> PublishJsonAsync(string eventName, JsonElement data, string? idempotencyKey = null)
    {
        ArgumentNullException.ThrowIfNull(eventName);
        // What it belongs to may be gone before it is sent.
        var copy = data.ValueKind == JsonValueKind.Undefined ? data : data.Clone();
        return _connection.Context.RunAsync(() => _isEnded ? Task.FromException<string>(Ended) : _queue.AddAsync(eventName, copy, idempotencyKey));
    }

    /// <inheritdoc cref="PublishJsonAsync"/>
    /// <typeparam name="T">The data's type.</typeparam>
    /// <param name="type">How to write it, from a <c>JsonSerializerContext</c>.</param>
    public Task<string> PublishAsync<T>(string eventName, T data, JsonTypeInfo<T> type) =>
        PublishJsonAsync(eventName, JsonSerializer.SerializeToElement(data, type));

    /// <inheritdoc cref="PublishJsonAsync"/>
    /// <typeparam name="T">The data's type, written with camelCase names.</typeparam>
    [RequiresUnreferencedCode("Writes the data by reflection. Give a JsonTypeInfo in trimmed programs.")]
    [RequiresDynamicCode("Writes the data by reflection. Give a JsonTypeInfo in natively compiled programs.")]
    public Task<string> PublishAsync<T>(string eventName, T data) =>
        PublishJsonAsync(eventName, JsonSerializer.SerializeToElement(data, JsonSerializerOptions.Web));

    /// <summary>Reads a part of the history; by default the newest 100 messages.</summary>
    /// <exception cref="CollabException">
    /// <c>position_lost</c> when what follows <see cref="HistoryOptions.After"/> cannot be read whole; <c>disconnected</c> without connection.
    /// </exception>
    public Task<ChannelHistory> GetHistoryAsync(HistoryOptions? options = null) =>
        _connection.Context.RunAsync(() => _connection.CallAsync<ChannelHistory>("GetHistory", Name, options ?? new HistoryOptions()));

    /// <summary>Who is present.</summary>
    /// <exception cref="CollabException">The server's; <c>disconnected</c> without connection.</exception>
    public async Task<IReadOnlyList<ChannelMember>> GetMembersAsync() =>
        await _connection.Context.RunAsync(() => _connection.CallAsync<ChannelMember[]>("GetMembers", Name)).ConfigureAwait(false);

    internal void Connected()
    {
        _feed.Connected();
        _queue.Connected();
    }

    internal void Disconnected()
    {
        _feed.Disconnected();
        _queue.Disconnected();
    }

    internal void Arrived(ChannelNews news) => _feed.Arrived(news);

    internal void ClosedByServer(string reason) => _feed.Closed(reason);

    internal void End()
    {
        _isEnded = true;
        _feed.RemoveAll(Ended);
        _queue.End(Ended);
    }
}
