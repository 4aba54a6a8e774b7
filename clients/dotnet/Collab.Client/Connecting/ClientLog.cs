using Microsoft.Extensions.Logging;

namespace Collab.Client;

/// <summary>What the client logs.</summary>
internal static partial class ClientLog
{
    [LoggerMessage(1, LogLevel.Error, "A handler of the connection's events has failed.")]
    public static partial void HandlerFailed(ILogger logger, Exception exception);

    [LoggerMessage(2, LogLevel.Debug, "{Message}")]
    public static partial void Failed(ILogger logger, string message, Exception exception);

    [LoggerMessage(3, LogLevel.Warning, "The local copy of a document cannot be written: what is changed offline is lost when the program ends.")]
    public static partial void LocalCopyFailed(ILogger logger, Exception exception);
}
