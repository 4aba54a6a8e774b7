using Collab.Protocol;

namespace Collab.Server.Channels.Handlers;

/// <summary>
/// Is told what happens to the channels that are open on this node. Of one channel it is told one thing after the other, in order; of several at
/// the same time. Nobody waits for it: what throws is tried twice more and logged, and a call that has not ended after 30 seconds is cancelled.
/// </summary>
/// <remarks>
/// Handlers are singletons, added with <c>AddChannelHandler</c>; one that needs scoped services makes a scope of its own. Each message is told on
/// one node, the one that took it in, unless that node dies: what must not be missed is read from the channel. The data of messages and
/// members is a <see cref="System.Text.Json.JsonElement"/>.
/// </remarks>
public interface IChannelHandler
{
    /// <summary>Messages that were taken in here are durable. One that is far behind is told of many at once, as they stand in the log.</summary>
    ValueTask PublishedAsync(ChannelContext channel, IReadOnlyList<ChannelMessage> messages, CancellationToken cancellationToken) => default;

    /// <summary>Somebody who is connected here is shown as a member, or shows something else.</summary>
    ValueTask JoinedAsync(ChannelContext channel, ChannelMember member, CancellationToken cancellationToken) => default;

    /// <summary>Somebody who was connected here is no member any more.</summary>
    ValueTask LeftAsync(ChannelContext channel, ChannelMember member, CancellationToken cancellationToken) => default;
}

/// <summary>A channel that a handler is told of.</summary>
/// <param name="Name">Its name.</param>
public sealed record ChannelContext(string Name);
