using Microsoft.Extensions.Logging;

namespace Collab.Redis;

/// <summary>All that can be said to an operator about Redis. Event ids 6000 to 6099.</summary>
internal static partial class RedisLog
{
    [LoggerMessage(6000, LogLevel.Information, "Redis is connected")]
    public static partial void Connected(ILogger logger);

    [LoggerMessage(6001, LogLevel.Warning, "Redis is away ({Kind}); this node goes on, and reads from the store what the others write")]
    public static partial void Away(ILogger logger, string kind);

    [LoggerMessage(6002, LogLevel.Debug, "A message could not be handed to Redis; the others read it from the store")]
    public static partial void PublishFailed(ILogger logger, Exception exception);

    [LoggerMessage(6003, LogLevel.Information, "Consumer {Consumer} reads stream {Stream}")]
    public static partial void ConsumerReads(ILogger logger, string consumer, string stream);

    [LoggerMessage(6004, LogLevel.Warning, "Consumer {Consumer} cannot read or publish now ({Reason}); it is tried again every second")]
    public static partial void ConsumerAway(ILogger logger, string consumer, string reason);

    [LoggerMessage(6005, LogLevel.Warning, "Consumer {Consumer} has missed {Count} entries, which stream {Stream} did not keep until they were published")]
    public static partial void ConsumerMissed(ILogger logger, string consumer, int count, string stream);
}
