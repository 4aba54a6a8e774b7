using Microsoft.Extensions.Logging;

namespace Collab.PostgresChanges;

/// <summary>All that can be said to an operator about the changes of tables. Event ids 8000 to 8099.</summary>
internal static partial class ChangesLog
{
    [LoggerMessage(8000, LogLevel.Information, "This node reads the changes of {Tables} tables from the slot {Slot}")]
    public static partial void Reading(ILogger logger, int tables, string slot);

    [LoggerMessage(8001, LogLevel.Information, "Another node reads the changes of tables from the slot {Slot}; this one waits for its turn")]
    public static partial void Waiting(ILogger logger, string slot);

    [LoggerMessage(8002, LogLevel.Error, "Changes of tables are not read: {Fault} It is tried again")]
    public static partial void Failed(ILogger logger, string fault);

    [LoggerMessage(8003, LogLevel.Error, "Changes of tables are not read, for an unexpected reason. It is tried again")]
    public static partial void FailedUnexpectedly(ILogger logger, Exception exception);

    [LoggerMessage(8004, LogLevel.Warning, "Not all tables are followed: {Fault}")]
    public static partial void TablesMissing(ILogger logger, string fault);

    [LoggerMessage(8005, LogLevel.Warning,
        "The slot {Slot} does not go on where it was left: {Reason}. Changes may be lost, so it is made anew and the channels of the tables get another epoch")]
    public static partial void SlotLost(ILogger logger, string slot, string reason);

    [LoggerMessage(8006, LogLevel.Information, "The slot {Slot} is being made; this waits for the transactions that are open in the database")]
    public static partial void MakingSlot(ILogger logger, string slot);

    [LoggerMessage(8007, LogLevel.Information, "The channel of table {Table} begins anew: it was not followed without a break")]
    public static partial void TableBegins(ILogger logger, string table);

    [LoggerMessage(8008, LogLevel.Warning,
        "The slot {Slot} is {Bytes} bytes behind, and the server keeps {KeptBytes} bytes of its log for it. Look at the load of the store, or set max_slot_wal_keep_size")]
    public static partial void FarBehind(ILogger logger, string slot, long bytes, long keptBytes);

    [LoggerMessage(8009, LogLevel.Information, "The slot {Slot} has caught up")]
    public static partial void CaughtUp(ILogger logger, string slot);

    [LoggerMessage(8010, LogLevel.Debug, "What was noted of the progress could not be shortened; it is tried again later")]
    public static partial void TrimFailed(ILogger logger, Exception exception);
}
