using Collab.Protocol;
using Collab.Server.Channels;
using Collab.Server.Documents;
using Collab.Server.Fanout;
using Collab.Server.Limits;
using Collab.Server.Security;
using Microsoft.AspNetCore.SignalR;

namespace Collab.Server;

/// <summary>
/// The hub: turns each message into one call of a service and adds who is asking. See <c>docs/protocol.md</c>.
/// </summary>
internal sealed class CollabHub(
    DocumentService documents,
    ChannelService channels,
    Connections connections,
    ConnectionOwners owners,
    ConnectionCounts counts,
    RequestRate requests)
    : Hub
{
    private Caller Caller => connections.CallerOf(Context.ConnectionId);

    public Task<JoinedDocument> JoinDocument(string documentId, byte[]? stateVector) =>
        documents.JoinAsync(CountedCaller(), documentId, stateVector, Context.ConnectionAborted);

    public async Task<string> PushUpdate(string documentId, byte[]? update) =>
        (await documents.PushAsync(Caller, documentId, update, Context.ConnectionAborted)).ToString();

    public Task<SyncedDocument> SyncDocument(string documentId, byte[]? stateVector) =>
        documents.SyncAsync(CountedCaller(), documentId, stateVector, Context.ConnectionAborted);

    public Task PushAwareness(string documentId, byte[]? awareness) =>
        documents.PushAwarenessAsync(Caller, documentId, awareness);

    public Task LeaveDocument(string documentId) => documents.LeaveAsync(CountedCaller(), documentId);

    public Task<SubscribeAnswer> Subscribe(string channel, SubscribeOptions? options) =>
        channels.SubscribeAsync(CountedCaller(), channel, options, Context.ConnectionAborted);

    public Task Unsubscribe(string channel) => channels.UnsubscribeAsync(CountedCaller(), channel);

    public async Task<string> Publish(string channel, string? @event, JsonData? data, string? idempotencyKey) =>
        (await channels.PublishAsync(Caller, channel, @event, data, idempotencyKey)).ToString();

    public Task<ChannelHistory> GetHistory(string channel, HistoryOptions? options) =>
        channels.GetHistoryAsync(CountedCaller().User, channel, options, Context.ConnectionAborted);

    public Task<ChannelMember[]> GetMembers(string channel) => channels.GetMembersAsync(CountedCaller().User, channel);

    public IAsyncEnumerable<ChannelMessage> StreamChannel(string channel, SubscribeOptions? options, CancellationToken cancellationToken) =>
        channels.StreamAsync(CountedCaller(), channel, options, cancellationToken);

    public override async Task OnConnectedAsync()
    {
        var request = Context.GetHttpContext()!;
        var token = request.Request.Query["id"].ToString() is { Length: > 0 } id ? id : null;
        // Over long polling the request is a copy that does not know until when its user has signed in.
        var signIn = (token is null ? null : owners.Find(token)?.SignIn) ?? SignIn.Of(request);
        var (refusal, held) = await counts.TryHoldAsync(request);
        connections.Begin(
            new Caller(Context.ConnectionId, signIn, Context.UserIdentifier),
            token,
            request.Request.Query[Connections.SessionParameter],
            held: held);
        if (refusal is not null)
            connections.SendAway(Context.ConnectionId, refusal);
    }

    public override Task OnDisconnectedAsync(Exception? exception) => connections.EndAsync(Context.ConnectionId);

    /// <summary>Who asks for something: for all calls but pushes and publishes, which are counted as such.</summary>
    private Caller CountedCaller()
    {
        var caller = Caller;
        requests.Count(caller);
        return caller;
    }
}
