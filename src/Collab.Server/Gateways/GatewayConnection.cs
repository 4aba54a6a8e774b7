using System.Security.Claims;
using Collab.Protocol;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Gateways;

/// <summary>One document over a Yjs protocol, as a hub connection that is told what the members of the document are told.</summary>
internal sealed class GatewayConnection : HubConnectionContext
{
    private readonly GatewaySocket _socket;
    private readonly Func<string?, Task> _end;

    /// <param name="caller">Who is connected.</param>
    /// <param name="socket">Where its messages go.</param>
    /// <param name="format">How they are written.</param>
    /// <param name="end">Tells the client that it is over: with a code and a sentence, or null when he is to come back.</param>
    /// <param name="loggerFactory">For SignalR.</param>
    public GatewayConnection(Caller caller, GatewaySocket socket, GatewayFormat format, Func<string?, Task> end, ILoggerFactory loggerFactory)
        : base(new DefaultConnectionContext(caller.ConnectionId) { User = caller.User }, new HubConnectionContextOptions(), loggerFactory)
    {
        (Caller, _socket, _end) = (caller, socket, end);
        Features.Set(socket.Stream);
        ConnectionAborted = socket.Ended;
        User = caller.User;
        Protocol = format;
        UserIdentifier = caller.UserId;
    }

    /// <summary>Who is connected.</summary>
    public Caller Caller { get; }

    public override CancellationToken ConnectionAborted { get; }

    public override ClaimsPrincipal User { get; }

    public override ValueTask WriteAsync(SerializedHubMessage message, CancellationToken cancellationToken = default)
    {
        switch (message.Message)
        {
            case CloseMessage close:
                // The client's answer is not waited for.
                _ = _end(close.Error);
                return default;
            case InvocationMessage { Target: HubContract.DocumentClosed, Arguments: [_, string reason] }:
                _ = _end(reason);
                return default;
            default:
                // What nobody else is written is not kept with the message.
                var frame = Protocol is GatewayFormat { IsShared: false } own ? own.GetMessageBytes(message.Message!) : message.GetSerializedMessage(Protocol);
                return frame.IsEmpty ? default : _socket.SendFrameAsync(frame);
        }
    }

    public override ValueTask WriteAsync(HubMessage message, CancellationToken cancellationToken = default) =>
        WriteAsync(new SerializedHubMessage(message), cancellationToken);

    public override void Abort() => _socket.Abort();
}
