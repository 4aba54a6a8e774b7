using System.Diagnostics;
using Collab.Load.Protocols;

namespace Collab.Load.Servers;

/// <summary>One of the servers that are compared: how it is started and how its clients speak.</summary>
/// <param name="Name">The name on the command line and in the tables.</param>
/// <param name="Acknowledges">Whether it tells a writer that his update has been taken.</param>
/// <param name="Stores">Whether it keeps documents over a restart.</param>
/// <param name="ReadyPath">The HTTP path that answers 200 when the server serves.</param>
internal sealed record ServerKind(string Name, bool Acknowledges, bool Stores, string ReadyPath)
{
    public static readonly ServerKind Collab = new("collab", Acknowledges: true, Stores: true, "/health/ready")
    {
        Command = static (port, _) => ["dotnet", Paths.Host, "--urls", $"http://127.0.0.1:{port}"],
        Environment = static (_, data) => new()
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["Collab__DataDirectory"] = data,
            // The peers run quietly too.
            ["Logging__LogLevel__Default"] = "Warning",
            ["Logging__LogLevel__Microsoft.AspNetCore"] = "Warning",
        },
        Protocol = static (document, member) => new SignalRProtocol("/hubs/collab", document, member),
    };

    /// <summary>Collab's gateway for y-websocket's clients.</summary>
    public static readonly ServerKind CollabYWebSocket = Collab with
    {
        Name = "collab-y-websocket",
        Acknowledges = false,
        Protocol = static (document, member) => new YWebSocketProtocol("/yjs/" + document, member),
    };

    /// <summary>Collab's gateway for Hocuspocus' clients.</summary>
    public static readonly ServerKind CollabHocuspocus = Collab with
    {
        Name = "collab-hocuspocus",
        Protocol = static (document, member) => new HocuspocusProtocol("/hocuspocus", document, member),
    };

    /// <summary>Collab that posts what has changed to a webhook, a second later.</summary>
    public static readonly ServerKind CollabEvents = Collab with
    {
        Name = "collab-events",
        Environment = static (port, data) => new(Collab.Environment(port, data))
        {
            ["Collab__Events__Webhooks__0__Name"] = "bench",
            ["Collab__Events__Webhooks__0__Url"] = WebhookReceiver.Url,
            ["Collab__Events__Webhooks__0__Keys__0"] = "whsec_" + Convert.ToBase64String(new byte[32]),
            ["Collab__Events__Webhooks__0__AllowHttp"] = "true",
            ["Collab__Events__Webhooks__0__AllowedNetworks__0"] = "127.0.0.0/8",
            ["Collab__Events__Webhooks__0__DebounceMilliseconds"] = "1000",
        },
    };

    public static readonly ServerKind Hocuspocus = new("hocuspocus", Acknowledges: true, Stores: true, "/")
    {
        Command = static (_, _) => ["node", Path.Combine(Paths.Peers, "hocuspocus.mjs")],
        Environment = static (port, data) => new() { ["PORT"] = $"{port}", ["DATA"] = data },
        Protocol = static (document, member) => new HocuspocusProtocol("/", document, member),
    };

    public static readonly ServerKind YWebSocket = new("y-websocket", Acknowledges: false, Stores: false, "/")
    {
        Command = static (_, _) => ["node", Path.Combine(Paths.Peers, "y-websocket.mjs")],
        Environment = static (port, _) => new() { ["PORT"] = $"{port}" },
        Protocol = static (document, member) => new YWebSocketProtocol("/" + document, member),
    };

    /// <summary>SignalR alone, for channels.</summary>
    public static readonly ServerKind BareHub = new("bare hub", Acknowledges: true, Stores: false, "/")
    {
        Command = static (port, _) => ["dotnet", Paths.BareHub, "--urls", $"http://127.0.0.1:{port}"],
        Environment = static (_, _) => new() { ["Logging__LogLevel__Default"] = "Warning" },
    };

    /// <summary>For channels.</summary>
    public static readonly ServerKind SocketIo = new("socket.io", Acknowledges: true, Stores: false, "/")
    {
        Command = static (_, _) => ["node", Path.Combine(Paths.Peers, "socket.io.mjs")],
        Environment = static (port, _) => new() { ["PORT"] = $"{port}" },
    };

    /// <summary>Those that serve documents.</summary>
    public static readonly ServerKind[] OfDocuments = [Collab, Hocuspocus, YWebSocket];

    /// <summary>Collab's gateways, and Collab with a webhook, which are measured when they are named.</summary>
    public static readonly ServerKind[] WhenNamed = [CollabYWebSocket, CollabHocuspocus, CollabEvents];

    /// <summary>Program and arguments, from port and data folder.</summary>
    public required Func<int, string, string[]> Command { get; init; }

    /// <summary>Environment variables, from port and data folder.</summary>
    public required Func<int, string, Dictionary<string, string>> Environment { get; init; }

    /// <summary>One client's side of the protocol for documents, from document and member; null when it has no documents.</summary>
    public Func<string, IWireMember, IWireProtocol>? Protocol { get; init; }

    public override string ToString() => Name;
}

/// <summary>Where the servers are; <c>bench/run.sh</c> says it.</summary>
internal static class Paths
{
    /// <summary>The published <c>Collab.Host.dll</c>.</summary>
    public static string Host => Required("COLLAB_HOST");

    /// <summary>The published <c>Collab.BareHub.dll</c>.</summary>
    public static string BareHub => Required("COLLAB_BARE_HUB");

    /// <summary>The folder <c>bench/peers</c>, with its packages installed.</summary>
    public static string Peers => Required("COLLAB_PEERS");

    private static string Required(string name) =>
        Environment.GetEnvironmentVariable(name) ?? throw new InvalidOperationException($"{name} is not set; start the generator with bench/run.sh");
}
