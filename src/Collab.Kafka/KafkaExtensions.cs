using Collab.Kafka;
using Collab.Server.Events;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server;

/// <summary>Sends events to Kafka.</summary>
public static class KafkaExtensions
{
    /// <summary>
    /// Produces events to the topics of <c>Collab:Events:Kafka</c>. Nothing happens when the list is empty. While Kafka is away, only what goes
    /// there waits.
    /// </summary>
    /// <param name="collab">What <c>AddCollab()</c> returned.</param>
    /// <param name="configuration">Where the settings stand.</param>
    /// <exception cref="InvalidOperationException">A setting is missing or wrong; the message says what to set.</exception>
    public static ICollabBuilder AddKafka(this ICollabBuilder collab, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(collab);
        ArgumentNullException.ThrowIfNull(configuration);
        foreach (var section in configuration.GetSection("Collab:Events:Kafka").GetChildren())
        {
            var options = section.Get<KafkaSinkOptions>() ?? new();
            if (options.Fault(section.Path) is { } fault)
                throw new InvalidOperationException(fault);
            if (KafkaSink.Fault(options) is { } reason)
                throw new InvalidOperationException($"{section.Path}:Client must hold settings that librdkafka takes. It says: {reason}");
            collab.AddEventSink(
                options.Name, section.Get<EventFilter>() ?? new(), provider => ActivatorUtilities.CreateInstance<KafkaSink>(provider, options));
        }

        return collab;
    }
}
