using RabbitMQ.Client;

namespace Collab.RabbitMq;

/// <summary>How RabbitMQ is connected to. What uses a connection makes a new one when it is lost, and knows then what of its own was lost.</summary>
internal static class RabbitMqBroker
{
    // RabbitMQ's own limit: what it has taken in can be read, and refused.
    private const uint MaxMessageBytes = 512 * 1024 * 1024;

    public static string? Fault(string key, string uri) =>
        Uri.TryCreate(uri, UriKind.Absolute, out var parsed) && parsed.Scheme is "amqp" or "amqps"
            ? null
            : $"{key} must be the address of a RabbitMQ, such as amqps://user:password@rabbit.example/vhost.";

    /// <param name="uri">Where it is, and who asks.</param>
    /// <param name="name">What the connection is called in RabbitMQ's lists.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static Task<IConnection> ConnectAsync(string uri, string name, CancellationToken cancellationToken) => new ConnectionFactory
    {
        Uri = new Uri(uri),
        ClientProvidedName = $"collab {name}",
        AutomaticRecoveryEnabled = false,
        TopologyRecoveryEnabled = false,
        RequestedConnectionTimeout = TimeSpan.FromSeconds(5),
        RequestedHeartbeat = TimeSpan.FromSeconds(10),
        MaxInboundMessageBodySize = MaxMessageBytes,
    }.CreateConnectionAsync(cancellationToken);
}
