using Microsoft.Extensions.Logging;

namespace Collab.Server.Fanout;

/// <summary>All that fan-out can say to an operator. Event ids 1000 to 1099.</summary>
internal static partial class FanoutLog
{
    public const string Category = "Collab.Fanout";

    [LoggerMessage(1000, LogLevel.Debug, "Connection {ConnectionId} fell behind; {Bytes} bytes were dropped from its outbox, it is served from the log")]
    public static partial void FellBehind(ILogger logger, string connectionId, long bytes);

    [LoggerMessage(1001, LogLevel.Debug, "Connection {ConnectionId} has caught up in a {Kind}")]
    public static partial void CaughtUp(ILogger logger, string connectionId, Rooms.RoomKind kind);

    [LoggerMessage(1002, LogLevel.Information, "Connection {ConnectionId} is closed: a write made no progress for {Milliseconds} ms")]
    public static partial void Stalled(ILogger logger, string connectionId, long milliseconds);

    [LoggerMessage(1003, LogLevel.Information, "Connection {ConnectionId} is closed: messages that cannot be read again exceed its outbox")]
    public static partial void TooSlow(ILogger logger, string connectionId);

    [LoggerMessage(1004, LogLevel.Warning, "What connection {ConnectionId} missed cannot be read from the log now; trying again")]
    public static partial void CatchUpFailed(ILogger logger, string connectionId, Exception exception);

    [LoggerMessage(1005, LogLevel.Error, "The outbox of connection {ConnectionId} failed; the connection is closed")]
    public static partial void OutboxFailed(ILogger logger, string connectionId, Exception exception);
}
