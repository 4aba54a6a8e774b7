using Microsoft.Extensions.Logging;

namespace Collab.Kafka;

/// <summary>All that the client of Kafka can say to an operator. Event ids 8200 to 8299.</summary>
internal static partial class KafkaLog
{
    [LoggerMessage(8200, LogLevel.Debug, "Kafka, {Sink}: {Message}")]
    public static partial void Said(ILogger logger, string sink, string message);
}
