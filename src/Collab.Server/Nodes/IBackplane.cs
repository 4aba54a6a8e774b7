namespace Collab.Server.Nodes;

/// <summary>
/// Carries messages between the nodes of one service, as fast as it can. It may lose some: what must not be lost stands in the log of a
/// room, and nodes look there for what they were not told.
/// </summary>
/// <remarks>All members may be called from any thread at any time.</remarks>
public interface IBackplane
{
    /// <summary>Whether there are other nodes at all. When not, nothing needs to be said.</summary>
    bool IsShared { get; }

    /// <summary>Whether messages are carried now, as far as is known.</summary>
    bool IsConnected { get; }

    /// <summary>Says who hears what the other nodes say. Called once, before anything else.</summary>
    /// <param name="received">
    /// Called with the group and the bytes of each message, one after the other in each group. The bytes hold during the call. It may be
    /// called for messages of this node too.
    /// </param>
    /// <param name="restored">Called when messages may have been lost, and may come again from now on.</param>
    void Start(Action<string, ReadOnlyMemory<byte>> received, Action restored);

    /// <summary>Sends a message to the other nodes that have joined a group. Never waits and never throws; the message may be lost.</summary>
    /// <param name="group">The group.</param>
    /// <param name="message">Its bytes; they must not change any more.</param>
    void Publish(string group, ReadOnlyMemory<byte> message);

    /// <summary>Joins a group: what is sent to it after this has returned is received, unless it is lost.</summary>
    /// <exception cref="BackplaneUnavailableException">It cannot be done now; try again.</exception>
    ValueTask JoinAsync(string group);

    /// <summary>Leaves a group. Never throws.</summary>
    ValueTask LeaveAsync(string group);
}

/// <summary>The backplane cannot be used now. It recovers by itself.</summary>
/// <param name="message">What is not possible.</param>
/// <param name="innerException">Why.</param>
public sealed class BackplaneUnavailableException(string message, Exception? innerException = null) : Exception(message, innerException);
