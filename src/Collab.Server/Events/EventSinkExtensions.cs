using Collab.Server.Channels.Handlers;
using Collab.Server.Documents.Handlers;
using Collab.Server.Events;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Collab.Server;

/// <summary>Adds places where events go.</summary>
public static class EventSinkExtensions
{
    /// <summary>Adds a sink. Events that happen from now on wait for it in the store, also while it cannot be reached and over restarts.</summary>
    /// <param name="collab">What <c>AddCollab()</c> returned.</param>
    /// <param name="name">
    /// Names it for ever: what it has got and what it has not is kept under this name. 1 to 64 characters of <c>A-Z a-z 0-9 . _ -</c>.
    /// </param>
    /// <param name="subscription">Which events it gets.</param>
    /// <param name="sink">Makes it, once.</param>
    /// <exception cref="ArgumentException">The name is none.</exception>
    public static ICollabBuilder AddEventSink(this ICollabBuilder collab, string name, EventSubscription subscription, Func<IServiceProvider, IEventSink> sink)
    {
        ArgumentNullException.ThrowIfNull(collab);
        ArgumentNullException.ThrowIfNull(subscription);
        ArgumentNullException.ThrowIfNull(sink);
        if (!EventSinkRegistration.IsName(name))
            throw new ArgumentException("A sink's name is 1 to 64 characters of A-Z a-z 0-9 . _ -.", nameof(name));
        collab.Services.AddSingleton(new EventSinkRegistration(name, subscription, sink));
        collab.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IDocumentHandler, DocumentEventHandler>());
        collab.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IChannelHandler, ChannelEventHandler>());
        return collab;
    }
}
