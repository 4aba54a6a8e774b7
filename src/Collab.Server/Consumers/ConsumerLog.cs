using Microsoft.Extensions.Logging;

namespace Collab.Server.Consumers;

/// <summary>All that consumers can say to an operator. Event ids 8000 to 8099.</summary>
internal static partial class ConsumerLog
{
    [LoggerMessage(8000, LogLevel.Warning, "Consumer {Consumer}: message {Id} is not published: {Reason}")]
    public static partial void Refused(ILogger logger, string consumer, string? id, string reason);
}
