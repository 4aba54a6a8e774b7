using System.IO.Pipelines;
using System.Security.Claims;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Logging;

namespace Collab.Server.Fanout;

/// <summary>
/// Stands for a recipient inside the lifetime manager: whatever is sent to it goes through its outbox, so that no sender ever waits
/// for a reader.
/// </summary>
internal sealed class OutboxConnection : HubConnectionContext
{
    private readonly IRecipient _recipient;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public OutboxConnection(IRecipient recipient, Outbox outbox, ILoggerFactory loggerFactory)
        : base(new Description(recipient), new HubConnectionContextOptions(), loggerFactory)
    {
        _recipient = recipient;
        Outbox = outbox;
        Protocol = recipient.Protocol;
        User = recipient.User;
        UserIdentifier = recipient.UserId;
        Transport = recipient.Transport;
    }

    public Outbox Outbox { get; }

    /// <inheritdoc cref="IRecipient.Transport"/>
    public string Transport { get; }

    /// <summary>Completes when the connection has ended.</summary>
    public Task Ended => _ended.Task;

    public override ClaimsPrincipal User { get; }

    public override CancellationToken ConnectionAborted => _recipient.ConnectionAborted;

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
    public ValueTask WriteLastAsync(HubMessage message) => _recipient.WriteAsync(new SerializedHubMessage(message));

    public override void Abort() => _recipient.Abort();

    /// <summary>The connection has ended.</summary>
    public void End()
    {
        Outbox.Close();
        _ended.TrySetResult();
    }

    /// <summary>What SignalR asks of a connection's transport. There is one of them for each client, however idle: it has what is needed.</summary>
    private sealed class Description(IRecipient recipient) : ConnectionContext
    {
        private IDictionary<object, object?>? _items = recipient.Items;

        public override string ConnectionId
        {
            get => recipient.ConnectionId;
            set => throw new NotSupportedException("The connection has an id.");
        }

        public override IFeatureCollection Features { get; } = new FeatureCollection();

        public override IDictionary<object, object?> Items
        {
            get => _items ??= new ConnectionItems();
            set => _items = value;
        }

        public override IDuplexPipe Transport
        {
            get => throw new NotSupportedException("It is written to through its outbox.");
            set => throw new NotSupportedException("It is written to through its outbox.");
        }
    }
}
