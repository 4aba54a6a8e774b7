using Microsoft.AspNetCore.Http.Connections;

namespace Collab.Client;

/// <summary>How messages travel.</summary>
public enum Transport
{
    /// <summary>One WebSocket.</summary>
    WebSockets,

    /// <summary>A stream of server-sent events, and a request for each message to the server.</summary>
    ServerSentEvents,

    /// <summary>One waiting request after the other, and a request for each message to the server.</summary>
    LongPolling,
}

/// <summary>Chooses the transports that an attempt to connect tries in turn. Each has a protocol of its own, so that none is passed over.</summary>
/// <param name="only">The only one to use; null for the best that the network lets through.</param>
internal sealed class TransportChoice(Transport? only)
{
    // How many attempts in a row WebSockets get before a fallback, once they have worked: a restarting server is no reason to fall back.
    private const int Patience = 3;
    private static readonly Transport[] Ladder = [Transport.WebSockets, Transport.ServerSentEvents, Transport.LongPolling];
    private bool _webSocketsWorked;
    private int _failures;

    /// <summary>What the next attempt should try, in this order.</summary>
    public IReadOnlyList<Transport> Candidates() =>
        only is { } one ? [one] : _webSocketsWorked && _failures < Patience ? [Transport.WebSockets] : Ladder;

    public void Succeeded(Transport transport)
    {
        _failures = 0;
        _webSocketsWorked = transport == Transport.WebSockets;
    }

    public void Failed() => _failures++;

    /// <summary>SignalR's name for it.</summary>
    public static HttpTransportType TypeOf(Transport transport) => transport switch
    {
        Transport.WebSockets => HttpTransportType.WebSockets,
        Transport.ServerSentEvents => HttpTransportType.ServerSentEvents,
        _ => HttpTransportType.LongPolling,
    };
}
