using Microsoft.Extensions.Logging;

namespace Collab.PostgresChanges.RowSecurity;

/// <summary>All that can be said to an operator about who sees which rows. Event ids 8050 to 8099.</summary>
internal static partial class RowSecurityLog
{
    [LoggerMessage(8050, LogLevel.Warning, "The database cannot say which rows readers see: {Reason}. They wait, and it is tried again")]
    public static partial void CannotAsk(ILogger logger, string reason);

    [LoggerMessage(8051, LogLevel.Warning, "Nobody sees rows of {Table}: {Fault}")]
    public static partial void NothingSeen(ILogger logger, string table, string fault);

    [LoggerMessage(8052, LogLevel.Warning, "A change of {Table} has a key that the table cannot have; it is shown to nobody")]
    public static partial void KeyUnfit(ILogger logger, string table, Exception exception);
}
