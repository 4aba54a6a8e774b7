using System.Text;
using Collab.Crdt;
using Collab.Protocol;
using Collab.Server.Documents;
using Collab.Server.Limits;

namespace Collab.Server.Gateways.Hocuspocus;

/// <summary>
/// One document of a connection that speaks Hocuspocus' protocol (packages/provider and packages/server of versions 2 to 4). Each update gets
/// a status of its own, which is sent when it is durable.
/// </summary>
/// <param name="documents">The document service.</param>
/// <param name="requests">How much may be asked.</param>
/// <param name="connection">The client's connection to the document.</param>
/// <param name="id">The document.</param>
/// <param name="socket">Where the client is.</param>
/// <param name="address">What stands before each message about the document.</param>
/// <param name="end">Ends the document for this client, and tells him why.</param>
internal sealed class HocuspocusDocument(
    DocumentService documents, RequestRate requests, GatewayConnection connection, string id, GatewaySocket socket, byte[] address, Func<string, Task> end)
    : GatewayDocument(documents, requests, connection.Caller, id, socket, address)
{
    public const int Stateless = 5;
    public const int BroadcastStateless = 6;
    public const int Close = 7;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private const byte SyncStatus = 8;
    private const byte Taken = 1;
    private const byte NotTaken = 0;

    private long _askForTokenAt = long.MaxValue;

    public GatewayConnection Connection => connection;

    /// <summary>When the client is asked for another token, in ticks of UTC; the largest number for never.</summary>
    public long AskForTokenAt
    {
        get => Volatile.Read(ref _askForTokenAt);
        set => Volatile.Write(ref _askForTokenAt, value);
    }

    /// <summary>Takes in one message.</summary>
    /// <exception cref="CollabException">It is not in order.</exception>
    public ValueTask TakeAsync(int kind, ReadOnlySpan<byte> body)
    {
        switch (kind)
        {
            case GatewayMessage.Sync:
                var syncKind = GatewayMessage.TakeNumber(ref body);
                if (syncKind > (int)SyncMessageKind.Update)
                    throw GatewayMessage.Malformed($"there is no sync message {syncKind}");
                return TakeSyncAsync((SyncMessageKind)syncKind, Whole(body));
            case GatewayMessage.Awareness:
                return TakeAwarenessAsync(Whole(body));
            case GatewayMessage.QueryAwareness:
                return SendPresentAsync();
            case Stateless or BroadcastStateless:
                var payload = TextOf(Whole(body));
                return PatientlyAsync(() => Documents.TakeStatelessAsync(connection.Caller, Id, payload, toAll: kind == BroadcastStateless));
            case Close:
                return new ValueTask(end("provider_initiated"));
            default:
                throw GatewayMessage.Malformed($"there is no message {kind} from clients");
        }
    }

    /// <summary>The user has signed in anew.</summary>
    public Task ReviewAsync() => Documents.ReviewAsync(connection.Caller, Id);

    public override Task FailAsync(CollabException exception) => end($"{exception.Code}: {exception.Message}");

    protected override async ValueTask AnswerAsync(SyncedDocument document)
    {
        await SendStateVectorAsync(document.StateVector);
        await base.AnswerAsync(document);
    }

    protected override void Acknowledge() => SendStatus(Taken);

    protected override void Deny() => SendStatus(NotTaken);

    private static byte[] Whole(ReadOnlySpan<byte> body)
    {
        var payload = GatewayMessage.TakeBytes(ref body);
        return body.IsEmpty ? payload.ToArray() : throw GatewayMessage.Malformed($"{body.Length} bytes after the end");
    }

    private static string TextOf(byte[] utf8)
    {
        try
        {
            return Utf8.GetString(utf8);
        }
        catch (DecoderFallbackException)
        {
            throw GatewayMessage.Malformed("the message is no text");
        }
    }

    // Who cannot be written to learns it elsewhere.
    private void SendStatus(byte status) => _ = Socket.SendAsync([.. Address, SyncStatus, status]).AsTask();
}
