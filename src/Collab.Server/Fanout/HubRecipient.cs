using System.Security.Claims;
using Collab.Server.Fanout.WebSockets;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.Http.Connections.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Collab.Server.Fanout;

/// <summary>A client of the hub.</summary>
internal sealed class HubRecipient : IRecipient
{
    private readonly HubConnectionContext _connection;

    public HubRecipient(HubConnectionContext connection)
    {
        _connection = connection;
        Stream = connection.Features.Get<WebSocketOutput>()?.Stream;
        Protocol = IsWrittenToStream ? FramedProtocol.Of(connection.Protocol) : connection.Protocol;
    }

    public string ConnectionId => _connection.ConnectionId;

    public ClaimsPrincipal User => _connection.User;

    public string? UserId => _connection.UserIdentifier;

    public string Transport => _connection.Features.Get<IHttpTransportFeature>()?.TransportType switch
    {
        HttpTransportType.WebSockets => "websockets",
        HttpTransportType.ServerSentEvents => "server_sent_events",
        HttpTransportType.LongPolling => "long_polling",
        _ => _connection.Protocol.Name,
    };

    public IHubProtocol Protocol { get; }

    public FrameStream? Stream { get; }

    public bool IsWrittenToStream => Stream is not null;

    public IDictionary<object, object?> Items => _connection.Items;

    public CancellationToken ConnectionAborted => _connection.ConnectionAborted;

    public ValueTask WriteAsync(SerializedHubMessage message) => _connection.WriteAsync(message);

    public void Abort() => _connection.Abort();
}
