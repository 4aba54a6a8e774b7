using Microsoft.Extensions.Logging;

namespace Collab.Server.Channels;

/// <summary>All that channels can say to an operator. Event ids 3000 to 3099.</summary>
internal static partial class ChannelLog
{
    [LoggerMessage(3000, LogLevel.Debug, "{ConnectionId} subscribed to channel {Channel} from offset {Offset}")]
    public static partial void Subscribed(ILogger logger, string connectionId, string channel, long offset);

    [LoggerMessage(3001, LogLevel.Debug, "{ConnectionId} left channel {Channel}")]
    public static partial void Left(ILogger logger, string connectionId, string channel);

    [LoggerMessage(3002, LogLevel.Debug, "Messages of channel {Channel} are refused: the store cannot take them now")]
    public static partial void AppendFailed(ILogger logger, string channel, Exception exception);

    [LoggerMessage(3003, LogLevel.Error, "Channel {Channel}: a message could not be committed or sent on for an unexpected reason")]
    public static partial void CommitFailed(ILogger logger, string channel, Exception exception);

    [LoggerMessage(3004, LogLevel.Debug, "The history of channel {Channel} could not be shortened; it is tried again later")]
    public static partial void TrimFailed(ILogger logger, string channel, Exception exception);

    [LoggerMessage(3005, LogLevel.Error, "Channels could not be looked through; it is tried again later")]
    public static partial void SweepFailed(ILogger logger, Exception exception);

    [LoggerMessage(3006, LogLevel.Debug, "Channels that nobody is in could not be shortened; it is tried again later")]
    public static partial void TrimmingFailed(ILogger logger, Exception exception);

    [LoggerMessage(3007, LogLevel.Error, "{Handler} failed on what has happened in channel {Channel}; it is not told again")]
    public static partial void HandlerFailed(ILogger logger, string handler, string channel, Exception exception);

    [LoggerMessage(3008, LogLevel.Information, "The log of channel {Channel} has begun anew; its subscribers are asked to come back, and are told that messages are lost")]
    public static partial void Restarted(ILogger logger, string channel);

    [LoggerMessage(3020, LogLevel.Debug, "Some readers of channel {Channel} wait: what they get of it cannot be found out now; it is tried again")]
    public static partial void ViewWaits(ILogger logger, string channel, Exception exception);

    [LoggerMessage(3021, LogLevel.Error, "Some readers of channel {Channel} wait for an unexpected reason; it is tried again")]
    public static partial void ViewFailed(ILogger logger, string channel, Exception exception);
}
