using Microsoft.Extensions.Logging;

namespace Collab.Server.Events;

/// <summary>All that the delivery of events can say to an operator. Event ids 5000 to 5099.</summary>
internal static partial class EventLog
{
    [LoggerMessage(5000, LogLevel.Information, "This node delivers events")]
    public static partial void Began(ILogger logger);

    [LoggerMessage(5001, LogLevel.Information, "This node does not deliver events any more")]
    public static partial void Ended(ILogger logger);

    [LoggerMessage(5002, LogLevel.Warning, "Sink {Sink} does not take events: {Reason}. It is tried again; until it takes one nothing more is logged")]
    public static partial void Failing(ILogger logger, string sink, string reason);

    [LoggerMessage(5003, LogLevel.Information, "Sink {Sink} takes events again")]
    public static partial void Recovered(ILogger logger, string sink);

    [LoggerMessage(5004, LogLevel.Warning, "Event {Id} ({Type}) was given up after {Attempts} attempts by sink {Sink}: {Reason}. It is a dead letter now")]
    public static partial void GaveUp(ILogger logger, string id, string type, int attempts, string sink, string reason);

    [LoggerMessage(5005, LogLevel.Error, "Sink {Sink} wants no events any more: {Reason}. Nothing is sent to it until it is enabled again")]
    public static partial void Disabled(ILogger logger, string sink, string reason);

    [LoggerMessage(5006, LogLevel.Error, "Events of sink {Sink} were too old when it came to them, and are lost")]
    public static partial void Lost(ILogger logger, string sink);

    [LoggerMessage(5007, LogLevel.Error, "The delivery of events to sink {Sink} failed for an unexpected reason; it begins anew")]
    public static partial void DeliveryFailed(ILogger logger, string sink, Exception exception);

    [LoggerMessage(5008, LogLevel.Debug, "Events cannot be delivered: the store cannot be used now")]
    public static partial void StoreAway(ILogger logger, Exception exception);
}
