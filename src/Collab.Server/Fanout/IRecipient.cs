using System.Security.Claims;
using Collab.Server.Fanout.WebSockets;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Collab.Server.Fanout;

/// <summary>To whom an <see cref="Outbox"/> writes: a client of the hub, one that speaks a Yjs protocol, or an EventSource.</summary>
internal interface IRecipient
{
    string ConnectionId { get; }

    ClaimsPrincipal User { get; }

    string? UserId { get; }

    /// <summary>How he is connected, as metrics name it.</summary>
    string Transport { get; }

    /// <summary>How messages are written to him.</summary>
    IHubProtocol Protocol { get; }

    /// <summary>The WebSocket he is written to over, on which one sees that a large write goes on; null when he has none.</summary>
    FrameStream? Stream { get; }

    /// <summary>Whether a message is written to <see cref="Stream"/> as it is, by <see cref="Protocol"/>.</summary>
    bool IsWrittenToStream { get; }

    /// <summary>What goes with the connection everywhere, as SignalR's <c>Items</c>; null for nothing.</summary>
    IDictionary<object, object?>? Items { get; }

    /// <summary>Cancelled when nothing can or shall be written any more.</summary>
    CancellationToken ConnectionAborted { get; }

    /// <summary>Writes to him. Only one write is under way at a time.</summary>
    ValueTask WriteAsync(SerializedHubMessage message);

    /// <summary>Cuts the connection.</summary>
    void Abort();
}
