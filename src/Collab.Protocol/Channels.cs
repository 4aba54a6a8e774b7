using System.Runtime.Serialization;
using System.Text.Json.Serialization;

namespace Collab.Protocol;

// See Documents.cs for DataContract. Where it says "any JSON value": to send, anything that the hub protocol writes as one; received, a
// JsonElement over JSON, and null, bool, numbers, string, object[] and Dictionary<object, object> over MessagePack.

/// <summary>A message of a channel.</summary>
/// <param name="Position">Where it is in the channel's log; see <see cref="Protocol.Position"/>. Positions of one channel are dense.</param>
/// <param name="Id">The idempotency key that it was published with, or else its position.</param>
/// <param name="Event">What kind of message it is, as its publisher named it; see <see cref="EventName"/>.</param>
/// <param name="Data">Any JSON value.</param>
/// <param name="PublishedAt">When it became durable, in milliseconds since 1970 UTC by the server's clock.</param>
/// <param name="Publisher">The publisher's user id; null when he has none.</param>
/// <param name="Skipped">
/// How many messages before this one its reader does not get: his filter or his rights leave them out, or, of a slow reader, his namespace
/// does, or they are part of this one. Without it positions are dense.
/// </param>
[DataContract]
public sealed record ChannelMessage(
    [property: DataMember(Name = "position")] string Position,
    [property: DataMember(Name = "id")] string Id,
    [property: DataMember(Name = "event")] string Event,
    [property: DataMember(Name = "data")] object? Data,
    [property: DataMember(Name = "publishedAt")] long PublishedAt,
    [property: DataMember(Name = "publisher")] string? Publisher,
    [property: DataMember(Name = "skipped"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Skipped = null);

/// <summary>
/// How to subscribe, in <c>Subscribe(channel, options)</c>. Everything is optional. A filter stands behind the channel's name, after a question mark.
/// </summary>
[DataContract]
public sealed record SubscribeOptions
{
    /// <summary>The position of the last message that the caller has: he gets those after it.</summary>
    [DataMember(Name = "after")]
    public string? After { get; init; }

    /// <summary>The last so many messages; where <see cref="After"/> cannot be served, if that is given too. 0 to 1,000.</summary>
    [DataMember(Name = "rewind")]
    public int? Rewind { get; init; }

    /// <summary>
    /// Makes the caller a member whom the others see, and tells him of them: <c>true</c>, or any JSON value to show with it. Null and
    /// <c>false</c> do not.
    /// </summary>
    [DataMember(Name = "presence")]
    public object? Presence { get; init; }
}

/// <summary>What <c>Subscribe</c> returns.</summary>
/// <param name="Position">The position that <paramref name="Messages"/> bring the caller to; everything after it is sent to him.</param>
/// <param name="Recovered">
/// False when what follows the asked position cannot be served whole: it is of another log, or older than the history kept.
/// </param>
/// <param name="Messages">What was asked for, in order. The rest of a long history follows as <c>MessageReceived</c>.</param>
/// <param name="Members">Who is present, when the caller asked for presence.</param>
[DataContract]
public sealed record SubscribedChannel(
    [property: DataMember(Name = "position")] string Position,
    [property: DataMember(Name = "recovered")] bool Recovered,
    [property: DataMember(Name = "messages")] IReadOnlyList<ChannelMessage> Messages,
    [property: DataMember(Name = "members")] IReadOnlyList<ChannelMember> Members);

/// <summary>Which part of the history to read, in <c>GetHistory(channel, options)</c>. Without both positions the newest.</summary>
[DataContract]
public sealed record HistoryOptions
{
    /// <summary>Read on from this position.</summary>
    [DataMember(Name = "after")]
    public string? After { get; init; }

    /// <summary>Read what precedes this position, the nearest first to be taken.</summary>
    [DataMember(Name = "before")]
    public string? Before { get; init; }

    /// <summary>At most so many messages: 1 to 1,000; 100 when not given.</summary>
    [DataMember(Name = "limit")]
    public int? Limit { get; init; }
}

/// <summary>A part of a channel's history, as <c>GetHistory</c> returns it.</summary>
/// <param name="Messages">The messages, in order.</param>
/// <param name="Position">The position of the channel's last message when this was read.</param>
/// <param name="Next">
/// Where the next part begins: give it as <c>after</c> again, or as <c>before</c> when reading backwards; null when there was no more. With a
/// filter a part may be empty and have a next one.
/// </param>
[DataContract]
public sealed record ChannelHistory(
    [property: DataMember(Name = "messages")] IReadOnlyList<ChannelMessage> Messages,
    [property: DataMember(Name = "position")] string Position,
    [property: DataMember(Name = "next"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Next = null);

/// <summary>Who is present in a channel. A user with several connections is one member; without a user id each connection is.</summary>
/// <param name="ConnectionId">The connection that joined last of those that are there.</param>
/// <param name="UserId">The user's id, or null.</param>
/// <param name="Data">What that connection shows: any JSON value.</param>
[DataContract]
public sealed record ChannelMember(
    [property: DataMember(Name = "connectionId")] string ConnectionId,
    [property: DataMember(Name = "userId")] string? UserId,
    [property: DataMember(Name = "data")] object? Data);

/// <summary>Who came and went, in <c>MembersChanged(channel, change)</c>. Nobody is in both.</summary>
/// <param name="Joined">Who is present now and was not.</param>
/// <param name="Left">Who was present and is no more.</param>
[DataContract]
public sealed record MembersChanged(
    [property: DataMember(Name = "joined")] IReadOnlyList<ChannelMember> Joined,
    [property: DataMember(Name = "left")] IReadOnlyList<ChannelMember> Left);

/// <summary>Why the server ended a subscription, in <c>ChannelClosed(channel, reason)</c>.</summary>
public static class ChannelCloseReasons
{
    /// <summary>The right to subscribe was taken away. Do not subscribe again without a new token.</summary>
    public const string Forbidden = "forbidden";
}
