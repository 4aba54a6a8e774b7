using Collab.Protocol;
using Collab.Server.Channels;
using Collab.Server.Documents;
using Collab.Server.Fanout;
using Microsoft.AspNetCore.SignalR;

namespace Collab.Server;

/// <summary>
/// The hub: turns each message into one call of a service and adds who is asking. See <c>docs/protocol.md</c>.
/// </summary>
internal sealed class CollabHub(DocumentService documents, ChannelService channels, Connections connections) : Hub
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

    public Task<SubscribeAnswer> Subscribe(string channel, SubscribeOptions? options) =>
        channels.SubscribeAsync(Caller, channel, options, Context.ConnectionAborted);

    public Task Unsubscribe(string channel) => channels.UnsubscribeAsync(Caller, channel);

    public async Task<string> Publish(string channel, string? @event, JsonData? data, string? idempotencyKey) =>
        (await channels.PublishAsync(Caller, channel, @event, data, idempotencyKey)).ToString();

    public Task<ChannelHistory> GetHistory(string channel, HistoryOptions? options) =>
        channels.GetHistoryAsync(Context.User!, channel, options, Context.ConnectionAborted);

    public Task<ChannelMember[]> GetMembers(string channel) => channels.GetMembersAsync(Context.User!, channel);

    public IAsyncEnumerable<ChannelMessage> StreamChannel(string channel, SubscribeOptions? options, CancellationToken cancellationToken) =>
        channels.StreamAsync(Caller, channel, options, cancellationToken);

    public override Task OnConnectedAsync()
    {
        connections.Begin(Caller, Context.GetHttpContext()?.Request.Query[Connections.SessionParameter]);
        return Task.CompletedTask;
    }

    public override Task OnDisconnectedAsync(Exception? exception) => connections.EndAsync(Caller);
}
