using Collab.Redis;
using Collab.Redis.Streams;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server;

/// <summary>Connects channels and events with streams in Redis.</summary>
public static class RedisStreamsExtensions
{
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
            "Collab:Events:RedisStreams",
            (options, section) => options.Fault(section) ?? FaultOf(options.Connection, section),
            (_, options) => new RedisStreamSink(options, ConnectionOf(options.Connection)));
        return collab.AddConsumers<RedisStreamConsumerOptions>(
            configuration,
            "Collab:Consumers:RedisStreams",
            (options, section) => options.Fault(section) ?? FaultOf(options.Connection, section),
            (services, options) => ActivatorUtilities.CreateInstance<RedisStreamConsumer>(services, options, ConnectionOf(options.Connection)));

        // The nodes' own Redis, unless another one is named.
        string? Named(string? own) => string.IsNullOrEmpty(own) ? configuration[SharedRedis.ConnectionString] : own;

        string? FaultOf(string? own, string section) => SharedRedis.TryParse(Named(own)) is null
            ? $"{section}:Connection, or else {SharedRedis.ConnectionString}, must be a connection string such as redis.example:6379,password=…."
            : null;

        RedisConnection ConnectionOf(string? own) => new(SharedRedis.Parse(Named(own)));
    }
}
