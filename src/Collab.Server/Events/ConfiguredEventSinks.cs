using Collab.Server.Events;
using Microsoft.Extensions.Configuration;

namespace Collab.Server;

/// <summary>Adds the sinks that the configuration lists.</summary>
public static class ConfiguredEventSinks
{
    /// <summary>
    /// Adds a sink for each item of a list in the configuration, such as <c>Collab:Events:Kafka</c>. An item has the sink's <c>Name</c>, its
    /// <see cref="EventSubscription"/>, and settings of its own. Nothing happens when the list is empty.
    /// </summary>
    /// <typeparam name="TOptions">A sink's own settings.</typeparam>
    /// <param name="collab">What <c>AddCollab()</c> returned.</param>
    /// <param name="configuration">Where the list stands.</param>
    /// <param name="list">The key of the list.</param>
    /// <param name="fault">Says, for settings and the key that they stand under, which is missing or wrong; null when none is.</param>
    /// <param name="sink">Makes the sink, once.</param>
    /// <exception cref="InvalidOperationException">A setting is missing or wrong; the message says what to set.</exception>
    public static ICollabBuilder AddEventSinks<TOptions>(
        this ICollabBuilder collab, IConfiguration configuration, string list, Func<TOptions, string, string?> fault, Func<IServiceProvider, TOptions, IEventSink> sink)
        where TOptions : class, new()
    {
        ArgumentNullException.ThrowIfNull(collab);
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(fault);
        ArgumentNullException.ThrowIfNull(sink);
        foreach (var item in configuration.GetSection(list).GetChildren())
        {
            var (name, options, subscription) = (item["Name"], item.Get<TOptions>() ?? new(), item.Get<EventSubscription>() ?? new());
            if ((FaultOfName(name, item.Path) ?? fault(options, item.Path) ?? subscription.Fault(item.Path)) is { } sentence)
                throw new InvalidOperationException(sentence);
            collab.AddEventSink(name!, subscription, services => sink(services, options));
        }

        return collab;
    }

    private static string? FaultOfName(string? name, string section) => EventSinkRegistration.IsName(name)
        ? null
        : $"{section}:Name must be a name that this receiver of events keeps, 1 to 64 characters of A-Z a-z 0-9 . _ -: what it has got is remembered under it.";
}
