using Collab.Protocol;
using Collab.Server.Documents;
using Microsoft.AspNetCore.SignalR;

namespace Collab.Server;

/// <summary>
/// The hub: turns each message into one call of a service and adds who is asking. See <c>docs/protocol.md</c>.
/// </summary>
internal sealed class CollabHub(DocumentService documents) : Hub
{
    private Caller Caller => new(Context.ConnectionId, Context.User!, Context.UserIdentifier);

    public Task<JoinedDocument> JoinDocument(string documentId, byte[]? stateVector) =>
        documents.JoinAsync(Caller, documentId, stateVector, Context.ConnectionAborted);

    public async Task<string> PushUpdate(string documentId, byte[]? update) =>
        (await documents.PushAsync(Caller, documentId, update, Context.ConnectionAborted)).ToString();

    public Task<SyncedDocument> SyncDocument(string documentId, byte[]? stateVector) =>
        documents.SyncAsync(Caller, documentId, stateVector, Context.ConnectionAborted);

    public Task PushAwareness(string documentId, byte[]? awareness) =>
        documents.PushAwarenessAsync(Caller, documentId, awareness);

    public Task LeaveDocument(string documentId) => documents.LeaveAsync(Caller, documentId);

    public override Task OnDisconnectedAsync(Exception? exception) => documents.LeaveAllAsync(Context.ConnectionId);
}
