using Collab.Redis;
using Collab.Redis.Streams;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server;

/// <summary>Connects channels and events with streams in Redis.</summary>
public static class RedisStreamsExtensions
{
    private const string Events = "Collab:Events:RedisStreams";
    private const string Consumers = "Collab:Consumers:RedisStreams";

    /// <summary>
    /// Adds events to the streams of <c>Collab:Events:RedisStreams</c>, and publishes entries of the streams of
    /// <c>Collab:Consumers:RedisStreams</c> in channels. Nothing happens when the lists are empty. While a Redis is away, only what goes there or
    /// comes from there waits.
    /// </summary>
    /// <param name="collab">What <c>AddCollab()</c> returned.</param>
    /// <param name="configuration">Where the settings stand.</param>
    /// <exception cref="InvalidOperationException">A setting is missing or wrong; the message says what to set.</exception>
    public static ICollabBuilder AddRedisStreams(this ICollabBuilder collab, IConfiguration configuration)
    {
        collab.AddEventSinks<RedisStreamSinkOptions>(
            configuration,
            Events,
            static (options, section) => options.Fault(section),
            (_, options) => new RedisStreamSink(options, ConnectionOf(options.Connection, Events)));
        return collab.AddConsumers<RedisStreamConsumerOptions>(
            configuration,
            Consumers,
            (services, options) => ActivatorUtilities.CreateInstance<RedisStreamConsumer>(services, options, ConnectionOf(options.Connection, Consumers)));

        // The nodes' own Redis, unless another one is named.
        RedisConnection ConnectionOf(string? own, string list) => new(string.IsNullOrEmpty(own)
            ? SharedRedis.Parse(configuration[SharedRedis.ConnectionString])
            : SharedRedis.Parse(own, $"each Connection in {list}"));
    }
}
