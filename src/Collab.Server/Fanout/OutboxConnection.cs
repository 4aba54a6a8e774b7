using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.Http.Connections.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Fanout;

/// <summary>
/// Stands for a connection inside the lifetime manager: whatever is sent to it goes through its outbox, so that no sender ever waits
/// for a reader.
/// </summary>
internal sealed class OutboxConnection : HubConnectionContext
{
    private readonly HubConnectionContext _inner;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public OutboxConnection(HubConnectionContext inner, Outbox outbox, ILoggerFactory loggerFactory)
        : base(Describe(inner), new HubConnectionContextOptions(), loggerFactory)
    {
        _inner = inner;
        Outbox = outbox;
        Protocol = inner.Protocol;
        UserIdentifier = inner.UserIdentifier;
        Transport = inner.Features.Get<IHttpTransportFeature>()?.TransportType switch
        {
            HttpTransportType.WebSockets => "websockets",
            HttpTransportType.ServerSentEvents => "server_sent_events",
            HttpTransportType.LongPolling => "long_polling",
            _ => inner.Protocol.Name,
        };
    }

    public Outbox Outbox { get; }

    /// <summary>How its client is connected, as metrics name it.</summary>
    public string Transport { get; }

    /// <summary>Completes when the connection has ended.</summary>
    public Task Ended => _ended.Task;

    public override CancellationToken ConnectionAborted => _inner.ConnectionAborted;

    public override ValueTask WriteAsync(HubMessage message, CancellationToken cancellationToken = default)
    {
        Outbox.Send(new SerializedHubMessage(message));
        return default;
    }

    public override ValueTask WriteAsync(SerializedHubMessage message, CancellationToken cancellationToken = default)
    {
        Outbox.Send(message);
        return default;
    }

    /// <summary>Writes past the outbox, which is closed.</summary>
    public ValueTask WriteLastAsync(HubMessage message) => _inner.WriteAsync(message);

    public override void Abort() => _inner.Abort();

    /// <summary>The connection has ended.</summary>
    public void End()
    {
        Outbox.Close();
        _ended.TrySetResult();
    }

    private static DefaultConnectionContext Describe(HubConnectionContext inner) => new(inner.ConnectionId)
    {
        User = inner.User,
        Items = inner.Items,
    };
}
