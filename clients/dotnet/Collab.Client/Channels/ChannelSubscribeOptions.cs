using System.Text.Json;
using Collab.Protocol;

namespace Collab.Client;

/// <summary>How to subscribe to a <see cref="Channel"/>. Everything is optional.</summary>
public sealed class ChannelSubscribeOptions
{
    /// <summary>The position of the last message that the caller has: he gets those after it.</summary>
    public string? After { get; set; }

    /// <summary>The last so many messages come first, 0 to 1,000; with <see cref="After"/>, only where that cannot be served.</summary>
    public int? Rewind { get; set; }

    /// <summary>
    /// Only messages whose data satisfy it come, such as <c>room_id=eq.7</c> or <c>state=in.(open,late)&amp;priority=gte.3</c>; see
    /// <c>docs/channels.md</c>. Such a subscription is one of <c>connection.Channel("name?filter")</c>, with which the history can be read by the
    /// filter, too.
    /// </summary>
    public string? Filter { get; set; }

    /// <summary>
    /// Makes one a member whom the others see: JSON's <c>true</c>, or any value to show with it. The newest subscription of a channel
    /// that has one says what. Null, <c>false</c> and JSON's <c>null</c> do not.
    /// </summary>
    public JsonElement? Presence { get; set; }

    /// <summary>Messages were lost between two positions, the first of which may be unknown; what follows comes as usual.</summary>
    public Action<ChannelGap>? OnGap { get; set; }

    /// <summary>Who is present, and what has changed. Called only while a subscription of the channel has <see cref="Presence"/>.</summary>
    public Action<IReadOnlyList<ChannelMember>, MembersChanged>? OnMembers { get; set; }

    /// <summary>The server refused the subscription, now or after a reconnect: it is over.</summary>
    public Action<CollabException>? OnClosed { get; set; }

    internal ChannelSubscribeOptions WithoutFilter() =>
        new() { After = After, Rewind = Rewind, Presence = Presence, OnGap = OnGap, OnMembers = OnMembers, OnClosed = OnClosed };
}

/// <summary>A place where messages are missing.</summary>
/// <param name="After">The last message that was had; null when nobody knows.</param>
/// <param name="Position">What comes next follows this position.</param>
public sealed record ChannelGap(string? After, string Position);

/// <summary>A subscription to a channel. It outlives reconnects; disposing it ends it.</summary>
public sealed class ChannelSubscription : IDisposable
{
    private readonly ChannelReader _reader;
    private readonly Action _end;

    internal ChannelSubscription(ChannelReader reader, Action end) => (_reader, _end) = (reader, end);

    /// <summary>
    /// Completes once the subscription stands: what is published from then on is received, and what was asked for of the history has been
    /// handed out, or its first part. Fails with a <see cref="CollabException"/> when the server refuses it or when it ends before.
    /// </summary>
    public Task Ready => _reader.Ready;

    /// <summary>The position of the last message that was handed out, or of where the subscription began; null until it stands.</summary>
    public string? Position => _reader.Position;

    /// <summary>Ends the subscription: nothing is handed out any more.</summary>
    public void Dispose() => _end();
}
