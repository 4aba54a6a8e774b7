using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Collab.Crdt;
using Collab.Protocol;
using Collab.Server.Documents;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Collab.Server.Gateways;

/// <summary>
/// How a Yjs protocol says what the members of a document are told, as a hub protocol that only writes: so its clients are connections
/// like others, and what goes to many is written once, as whole frames of a WebSocket. What else a hub connection would get has no bytes here.
/// </summary>
/// <param name="name">The protocol's name.</param>
/// <param name="address">What stands before each message about a document.</param>
/// <param name="isShared">Whether all who have the protocol are written the same.</param>
/// <param name="stateless">Writes what is not part of a document; null when the protocol has no such thing.</param>
internal sealed class GatewayFormat(string name, Func<string, byte[]> address, bool isShared = true, Func<string, byte[]>? stateless = null) : IHubProtocol
{
    public bool IsShared => isShared;

    public string Name => name;

    public int Version => 1;

    public TransferFormat TransferFormat => TransferFormat.Binary;

    public bool IsVersionSupported(int version) => version == Version;

    public bool TryParseMessage(
        ref ReadOnlySequence<byte> input, IInvocationBinder binder, [NotNullWhen(true)] out HubMessage? message) =>
        throw new NotSupportedException("It is only ever written.");

    public void WriteMessage(HubMessage message, IBufferWriter<byte> output) => output.Write(GetMessageBytes(message).Span);

    public ReadOnlyMemory<byte> GetMessageBytes(HubMessage message) => message switch
    {
        // Empty is an update for whose writer nobody else is there.
        InvocationMessage { Target: HubContract.DocumentUpdated, Arguments: [string id, byte[] { Length: > 0 } update, ..] } =>
            GatewaySocket.FrameOf(GatewayMessage.SyncHead(address(id), SyncMessageKind.Update, update.Length), update),
        InvocationMessage { Target: HubContract.AwarenessUpdated, Arguments: [string id, byte[] awareness] } =>
            GatewaySocket.FrameOf(GatewayMessage.AwarenessHead(address(id), awareness.Length), awareness),
        InvocationMessage { Target: DocumentRoom.StatelessMessage, Arguments: [string id, string payload] } when stateless is not null =>
            GatewaySocket.FrameOf(address(id), stateless(payload)),
        _ => default,
    };
}
