using System.Security.Claims;
using Collab.Protocol;
using Collab.Server.Fanout;
using Collab.Server.Fanout.WebSockets;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Collab.Server.Gateways;

/// <summary>One document over a Yjs protocol, as a connection that is told what the members of the document are told.</summary>
/// <param name="caller">Who is connected.</param>
/// <param name="socket">Where its messages go.</param>
/// <param name="format">How they are written.</param>
/// <param name="end">Tells the client that it is over: with a code and a sentence, or null when he is to come back.</param>
internal sealed class GatewayConnection(Caller caller, GatewaySocket socket, GatewayFormat format, Func<string?, Task> end) : IRecipient
{
    /// <summary>Who is connected.</summary>
    public Caller Caller => caller;

    public string ConnectionId => caller.ConnectionId;

    public ClaimsPrincipal User => caller.User;

    public string? UserId => caller.UserId;

    public string Transport => format.Name;

    public IHubProtocol Protocol => format;

    public FrameStream Stream => socket.Stream;

    // Some messages are not written but done.
    public bool IsWrittenToStream => false;

    public IDictionary<object, object?>? Items => null;

    public CancellationToken ConnectionAborted => socket.Ended;

    public ValueTask WriteAsync(SerializedHubMessage message)
    {
        switch (message.Message)
        {
            case CloseMessage close:
                // The client's answer is not waited for.
                _ = end(close.Error);
                return default;
            case InvocationMessage { Target: HubContract.DocumentClosed, Arguments: [_, string reason] }:
                _ = end(reason);
                return default;
            default:
                // What nobody else is written is not kept with the message.
                var frame = format.IsShared ? message.GetSerializedMessage(format) : format.GetMessageBytes(message.Message!);
                return frame.IsEmpty ? default : socket.SendFrameAsync(frame);
        }
    }

    public void Abort() => socket.Abort();
}
