using Collab.Server.Channels.Handlers;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server;

/// <summary>Adds an application's own code to channels.</summary>
public static class ChannelHandlerExtensions
{
    /// <summary>Adds a handler that is told what happens to channels on this node. There may be several; they are told in the order in which they are added.</summary>
    /// <typeparam name="THandler">The handler; made once, by dependency injection.</typeparam>
    /// <param name="collab">What <c>AddCollab()</c> returned.</param>
    public static ICollabBuilder AddChannelHandler<THandler>(this ICollabBuilder collab)
        where THandler : class, IChannelHandler
    {
        ArgumentNullException.ThrowIfNull(collab);
        collab.Services.AddSingleton<IChannelHandler, THandler>();
        return collab;
    }
}
