using Collab.Crdt;
using Collab.Protocol;
using Collab.Server.Documents;
using Collab.Server.Limits;

namespace Collab.Server.Gateways.YWebSocket;

/// <summary>
/// The y-websocket protocol, one document on each connection (y-websocket/src/y-websocket.js; y-sweet adds a message of its own). It knows no
/// acknowledgement: the server's echo of an update, which comes when it is durable, is what newer clients take for one.
/// </summary>
internal sealed class YWebSocketDocument(DocumentService documents, RequestRate requests, Caller caller, string id, GatewaySocket socket)
    : GatewayDocument(documents, requests, caller, id, socket, address: [])
{
    /// <summary>y-sweet: the server says the same when all that came before is stored.</summary>
    private const int StoredUpTo = 102;

    /// <summary>Lets the client in, and asks what he has.</summary>
    public async ValueTask OpenAsync()
    {
        var joined = await JoinAsync();
        await SendStateVectorAsync(joined.StateVector);
        if (joined.Awareness is not [0])
            await Socket.SendAsync(GatewayMessage.AwarenessHead(Address, joined.Awareness.Length), joined.Awareness);
    }

    /// <summary>Takes in what a frame holds: one message or, of newer clients, several.</summary>
    /// <exception cref="CollabException">Something in it is not in order.</exception>
    public async ValueTask TakeAsync(ReadOnlyMemory<byte> frame)
    {
        for (var rest = frame; !rest.IsEmpty;)
        {
            var message = Read(ref rest);
            switch (message.Kind)
            {
                case GatewayMessage.Sync:
                    await TakeSyncAsync(message.SyncKind, message.Payload);
                    break;
                case GatewayMessage.Awareness:
                    await TakeAwarenessAsync(message.Payload);
                    break;
                case GatewayMessage.QueryAwareness:
                    await SendPresentAsync();
                    break;
                default:
                    await DrainAsync();
                    await Socket.SendAsync([StoredUpTo, (byte)message.Payload.Length], message.Payload);
                    break;
            }
        }
    }

    /// <summary>Says that it is over, first in a message that clients show to the developer.</summary>
    public static async Task EndAsync(GatewaySocket socket, string? reason)
    {
        var code = GatewayCloseCodes.Of(reason);
        if (code is GatewayCloseCodes.Forbidden or GatewayCloseCodes.Unauthorized)
            await socket.SendAsync(GatewayMessage.OfDenial([], reason!));
        await socket.CloseAsync(code, reason ?? "this server stops; connect again");
    }

    public override Task FailAsync(CollabException exception) => EndAsync(Socket, $"{exception.Code}: {exception.Message}");

    protected override void Deny() =>
        _ = Socket.SendAsync(GatewayMessage.OfDenial(Address, $"{ErrorCodes.Forbidden}: you may read this document but not change it")).AsTask();

    private static Message Read(ref ReadOnlyMemory<byte> rest)
    {
        var bytes = rest.Span;
        var kind = GatewayMessage.TakeNumber(ref bytes);
        var message = kind switch
        {
            GatewayMessage.Sync => ReadSync(ref bytes),
            GatewayMessage.Awareness => new Message(kind, default, GatewayMessage.TakeBytes(ref bytes).ToArray()),
            GatewayMessage.QueryAwareness => new Message(kind, default, []),
            StoredUpTo => ReadStoredUpTo(ref bytes),
            _ => throw GatewayMessage.Malformed($"there is no message {kind} from clients"),
        };
        rest = rest[^bytes.Length..];
        return message;
    }

    private static Message ReadSync(ref ReadOnlySpan<byte> bytes)
    {
        var kind = GatewayMessage.TakeNumber(ref bytes);
        if (kind > (int)SyncMessageKind.Update)
            throw GatewayMessage.Malformed($"there is no sync message {kind}");
        return new Message(GatewayMessage.Sync, (SyncMessageKind)kind, GatewayMessage.TakeBytes(ref bytes).ToArray());
    }

    private static Message ReadStoredUpTo(ref ReadOnlySpan<byte> bytes)
    {
        var version = GatewayMessage.TakeBytes(ref bytes);
        return version.Length is > 0 and <= 10
            ? new Message(StoredUpTo, default, version.ToArray())
            : throw GatewayMessage.Malformed("a version is none");
    }

    private readonly record struct Message(int Kind, SyncMessageKind SyncKind, byte[] Payload);
}
