using Microsoft.Extensions.Logging;

namespace Collab.Storage;

/// <summary>All that the stores say to an operator. Ids 4000 to 4099.</summary>
internal static partial class StorageLog
{
    [LoggerMessage(4001, LogLevel.Information, "Room logs are kept in {Path}")]
    public static partial void Opened(ILogger logger, string path);

    [LoggerMessage(4002, LogLevel.Error, "The store refuses {Operation}: {Reason} (code {Code}); it is tried again with each call")]
    public static partial void Unavailable(ILogger logger, string operation, string reason, string code);

    [LoggerMessage(4003, LogLevel.Information, "The store takes {Operation} again")]
    public static partial void Recovered(ILogger logger, string operation);
}
