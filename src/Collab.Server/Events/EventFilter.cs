using Collab.Server.Events;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Events
{
    /// <summary>Which events a sink gets.</summary>
    public sealed class EventFilter
    {
        /// <summary>Patterns of types, such as <c>document.*</c>; none stands for all.</summary>
        public IList<string> Events { get; } = [];

        /// <summary>Patterns of rooms, such as <c>acme/*</c>; none stands for all.</summary>
        public IList<string> Rooms { get; } = [];
    }

    internal sealed record EventReceiver(string Name, EventFilter Filter, IEventSink Sink);
}

namespace Collab.Server
{
    /// <summary>Adds where events go.</summary>
    public static class EventSinkExtensions
    {
        /// <summary>Adds a sink.</summary>
        public static ICollabBuilder AddEventSink(
            this ICollabBuilder builder, string name, EventFilter filter, Func<IServiceProvider, IEventSink> sink)
        {
            ArgumentNullException.ThrowIfNull(builder);
            builder.Services.AddSingleton(provider => new EventReceiver(name, filter, sink(provider)));
            return builder;
        }
    }
}
