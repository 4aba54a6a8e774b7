using Collab.Server.Handlers;

namespace Collab.Server.Channels.Handlers;

/// <summary>The application's handlers of channels.</summary>
internal sealed class ChannelHandlers(IReadOnlyList<IChannelHandler> handlers)
{
    public IReadOnlyList<IChannelHandler> All { get; } = handlers;

    /// <summary>Whether any of them wants to know of messages.</summary>
    public bool WantMessages { get; } = HandlerInterest.IsIn(handlers, nameof(IChannelHandler.PublishedAsync));
}
