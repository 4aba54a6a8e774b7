using Collab.Load.Servers;

namespace Collab.Load.Channels;

/// <summary>A server, and a way to read its channels.</summary>
/// <param name="Name">The name on the command line and in the tables.</param>
/// <param name="Server">The server.</param>
/// <param name="Reader">Makes a reader.</param>
internal sealed record Contender(string Name, ServerKind Server, Func<Feed, Reader> Reader)
{
    private const string CollabHub = "/hubs/collab";
    private const string BareHub = "/hub";

    public static readonly Contender Json = new("collab-json", ServerKind.Collab, static feed => new HubReader(feed, CollabHub, false));
    public static readonly Contender MessagePack = new("collab-msgpack", ServerKind.Collab, static feed => new HubReader(feed, CollabHub, true));
    public static readonly Contender EventSource = new("collab-sse", ServerKind.Collab, static feed => new EventSourceReader(feed));
    public static readonly Contender HubPolls = new("collab-hub-polls", ServerKind.Collab, static feed => new HubPollReader(feed, CollabHub));
    public static readonly Contender LongPolls = new("collab-long-polls", ServerKind.Collab, static feed => new LongPollReader(feed));
    public static readonly Contender BareJson = new("bare-json", ServerKind.BareHub, static feed => new HubReader(feed, BareHub, false));
    public static readonly Contender BareMessagePack = new("bare-msgpack", ServerKind.BareHub, static feed => new HubReader(feed, BareHub, true));
    public static readonly Contender BarePolls = new("bare-hub-polls", ServerKind.BareHub, static feed => new HubPollReader(feed, BareHub));
    public static readonly Contender SocketIo = new("socket.io", ServerKind.SocketIo, static feed => new SocketIoReader(feed));
    public static readonly Contender SocketIoPolls = new("socket.io-polls", ServerKind.SocketIo, static feed => new SocketIoPollReader(feed));

    public static readonly Contender[] All =
        [Json, MessagePack, EventSource, HubPolls, LongPolls, BareJson, BareMessagePack, BarePolls, SocketIo, SocketIoPolls];

    /// <summary>Makes one who publishes to this server; all publish over a WebSocket in JSON.</summary>
    public Publisher Publisher(Feed feed, Action<int> acknowledged) =>
        Server == ServerKind.Collab ? new HubPublisher(feed, CollabHub, acknowledged)
        : Server == ServerKind.BareHub ? new HubPublisher(feed, BareHub, acknowledged)
        : new SocketIoPublisher(feed, acknowledged);

    public override string ToString() => Name;
}
