using Microsoft.Extensions.Logging;

namespace Collab.Server.Events;

/// <summary>All that the delivery of events can say to an operator. Event ids 7000 to 7099.</summary>
internal static partial class EventLog
{
    [LoggerMessage(7000, LogLevel.Information, "This node delivers events")]
    public static partial void Began(ILogger logger);

    [LoggerMessage(7001, LogLevel.Information, "This node does not deliver events any more")]
    public static partial void Ended(ILogger logger);

    [LoggerMessage(7002, LogLevel.Warning, "Sink {Sink} does not take events: {Reason}. It is tried again; until it takes one nothing more is logged")]
    public static partial void Failing(ILogger logger, string sink, string reason);

    [LoggerMessage(7003, LogLevel.Information, "Sink {Sink} takes events again")]
    public static partial void Recovered(ILogger logger, string sink);

    [LoggerMessage(7004, LogLevel.Warning, "Event {Id} ({Type}) was given up after {Attempts} attempts by sink {Sink}: {Reason}. It is a dead letter now")]
    public static partial void GaveUp(ILogger logger, string id, string type, int attempts, string sink, string reason);

    [LoggerMessage(7005, LogLevel.Error, "Sink {Sink} wants no events any more: {Reason}. Nothing is sent to it until it is enabled again")]
    public static partial void Disabled(ILogger logger, string sink, string reason);

    [LoggerMessage(7006, LogLevel.Error, "Events of sink {Sink} were too old when it came to them, and are lost")]
    public static partial void Lost(ILogger logger, string sink);

    [LoggerMessage(7007, LogLevel.Error, "The delivery of events to sink {Sink} failed for an unexpected reason; it begins anew")]
    public static partial void DeliveryFailed(ILogger logger, string sink, Exception exception);

    [LoggerMessage(7009, LogLevel.Error, "Whether channel {Channel} has subscribers could not be told for an unexpected reason; it is tried again")]
    public static partial void OccupancyFailed(ILogger logger, string channel, Exception exception);

    [LoggerMessage(7008, LogLevel.Debug, "Events cannot be delivered: the store cannot be used now")]
    public static partial void StoreAway(ILogger logger, Exception exception);
}
