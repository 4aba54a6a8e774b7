using Collab.Server.Rooms;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Collab.Server.Fanout;

/// <summary>
/// The last argument of an invocation that stands for several: <see cref="CollabHubProtocol"/> writes each as a message of its own, one
/// after the other into the same bytes. So a batch of messages costs each member of a room one write.
/// </summary>
internal abstract class FrameBatch : IRoomFrame
{
    public abstract RoomKey Room { get; }

    public abstract long After { get; }

    public abstract long Through { get; }

    public string? SoleWriter => null;

    /// <summary>The messages that a hub connection gets; may be none.</summary>
    public abstract IEnumerable<InvocationMessage> Messages { get; }
}
