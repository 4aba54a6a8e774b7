using Microsoft.Extensions.Logging;

namespace Collab.RabbitMq;

/// <summary>All that can be said to an operator about RabbitMQ. Event ids 8100 to 8199.</summary>
internal static partial class RabbitMqLog
{
    [LoggerMessage(8100, LogLevel.Information, "Consumer {Consumer} reads queue {Queue}")]
    public static partial void ConsumerReads(ILogger logger, string consumer, string queue);

    [LoggerMessage(8101, LogLevel.Warning, "Consumer {Consumer} cannot read or publish now ({Reason}); it is tried again every second")]
    public static partial void ConsumerAway(ILogger logger, string consumer, string reason);
}
