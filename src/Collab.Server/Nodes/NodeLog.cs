using Microsoft.Extensions.Logging;

namespace Collab.Server.Nodes;

/// <summary>All that a node can say to an operator about the others. Event ids 5000 to 5099.</summary>
internal static partial class NodeLog
{
    [LoggerMessage(5000, LogLevel.Debug, "A group of the backplane cannot be joined now; it is tried again")]
    public static partial void JoinFailed(ILogger logger, Exception exception);

    [LoggerMessage(5001, LogLevel.Warning, "Another node said something that is not understood")]
    public static partial void NotUnderstood(ILogger logger, Exception exception);

    [LoggerMessage(5002, LogLevel.Information, "The backplane is back; what was missed is read from the store")]
    public static partial void Restored(ILogger logger);

    [LoggerMessage(5003, LogLevel.Debug, "{Count} open rooms were behind the store, and have been brought up to it")]
    public static partial void Healed(ILogger logger, int count);

    [LoggerMessage(5004, LogLevel.Debug, "The store cannot say now how far its rooms go; it is asked again")]
    public static partial void HeadsUnavailable(ILogger logger, Exception exception);

    [LoggerMessage(5005, LogLevel.Information, "Node {Node} is there, at {Address}")]
    public static partial void Found(ILogger logger, string node, string address);

    [LoggerMessage(5006, LogLevel.Warning, "Node {Node} is gone")]
    public static partial void Gone(ILogger logger, string node);

    [LoggerMessage(5007, LogLevel.Error, "A room's messages could not be sent on to its members for an unexpected reason")]
    public static partial void SendFailed(ILogger logger, Exception exception);
}
