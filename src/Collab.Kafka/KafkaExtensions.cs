using Collab.Kafka;
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
    public static ICollabBuilder AddKafka(this ICollabBuilder collab, IConfiguration configuration) => collab.AddEventSinks<KafkaSinkOptions>(
        configuration,
        "Collab:Events:Kafka",
        static (options, section) => options.Fault(section) ?? KafkaSink.Fault(options, section),
        static (services, options) => ActivatorUtilities.CreateInstance<KafkaSink>(services, options));
}
