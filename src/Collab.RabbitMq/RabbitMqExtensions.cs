using Collab.RabbitMq;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server;

/// <summary>Connects channels and events with RabbitMQ.</summary>
public static class RabbitMqExtensions
{
    /// <summary>
    /// Publishes events to the exchanges of <c>Collab:Events:RabbitMq</c>, and messages of the queues of <c>Collab:Consumers:RabbitMq</c> in
    /// channels. Nothing happens when the lists are empty. While a broker is away, only what goes there or comes from there waits.
    /// </summary>
    /// <param name="collab">What <c>AddCollab()</c> returned.</param>
    /// <param name="configuration">Where the settings stand.</param>
    /// <exception cref="InvalidOperationException">A setting is missing or wrong; the message says what to set.</exception>
    public static ICollabBuilder AddRabbitMq(this ICollabBuilder collab, IConfiguration configuration)
    {
        collab.AddEventSinks<RabbitMqSinkOptions>(
            configuration, "Collab:Events:RabbitMq", static (options, section) => options.Fault(section), static (_, options) => new RabbitMqSink(options));
        return collab.AddConsumers<RabbitMqConsumerOptions>(
            configuration,
            "Collab:Consumers:RabbitMq",
            static (options, section) => options.Fault(section),
            static (services, options) => ActivatorUtilities.CreateInstance<RabbitMqConsumer>(services, options));
    }
}
