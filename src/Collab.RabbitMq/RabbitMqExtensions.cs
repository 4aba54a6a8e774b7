using Collab.RabbitMq;
using Collab.Server.Events;
using Microsoft.Extensions.Configuration;

namespace Collab.Server;

/// <summary>Connects channels and events with RabbitMQ.</summary>
public static class RabbitMqExtensions
{
    /// <summary>
    /// Publishes events to the exchanges of <c>Collab:Events:RabbitMq</c>. Nothing happens when the list is empty. While a broker is away, only
    /// what goes there waits.
    /// </summary>
    /// <param name="collab">What <c>AddCollab()</c> returned.</param>
    /// <param name="configuration">Where the settings stand.</param>
    /// <exception cref="InvalidOperationException">A setting is missing or wrong; the message says what to set.</exception>
    public static ICollabBuilder AddRabbitMq(this ICollabBuilder collab, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(collab);
        ArgumentNullException.ThrowIfNull(configuration);
        foreach (var section in configuration.GetSection("Collab:Events:RabbitMq").GetChildren())
        {
            var options = section.Get<RabbitMqSinkOptions>() ?? new();
            if (options.Fault(section.Path) is { } fault)
                throw new InvalidOperationException(fault);
            collab.AddEventSink(options.Name, section.Get<EventFilter>() ?? new(), _ => new RabbitMqSink(options));
        }

        return collab;
    }
}
