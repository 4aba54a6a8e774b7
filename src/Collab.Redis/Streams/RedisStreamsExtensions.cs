using Collab.Redis;
using Collab.Redis.Streams;
using Collab.Server.Events;
using Microsoft.Extensions.Configuration;
using StackExchange.Redis;

namespace Collab.Server;

/// <summary>Connects channels and events with streams in Redis.</summary>
public static class RedisStreamsExtensions
{
    /// <summary>
    /// Adds events to the streams of <c>Collab:Events:RedisStreams</c>. Nothing happens when the list is empty. While a Redis is away, only what
    /// goes there waits.
    /// </summary>
    /// <param name="collab">What <c>AddCollab()</c> returned.</param>
    /// <param name="configuration">Where the settings stand.</param>
    /// <exception cref="InvalidOperationException">A setting is missing or wrong; the message says what to set.</exception>
    public static ICollabBuilder AddRedisStreams(this ICollabBuilder collab, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(collab);
        ArgumentNullException.ThrowIfNull(configuration);
        foreach (var section in configuration.GetSection("Collab:Events:RedisStreams").GetChildren())
        {
            var options = section.Get<RedisStreamSinkOptions>() ?? new();
            if (options.Fault(section.Path) is { } fault)
                throw new InvalidOperationException(fault);
            var connection = ConnectionOf(options.Connection, section, configuration);
            collab.AddEventSink(options.Name, section.Get<EventFilter>() ?? new(), _ => new RedisStreamSink(options, new RedisConnection(connection)));
        }

        return collab;
    }

    private static ConfigurationOptions ConnectionOf(string? own, IConfigurationSection section, IConfiguration configuration) =>
        string.IsNullOrEmpty(own)
            ? SharedRedis.Parse(configuration[SharedRedis.ConnectionString])
            : SharedRedis.Parse(own, $"{section.Path}:Connection");
}
