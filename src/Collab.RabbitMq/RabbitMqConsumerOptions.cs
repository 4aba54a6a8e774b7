using Collab.Server.Consumers;

namespace Collab.RabbitMq;

/// <summary>A queue whose messages are published in channels. Configuration sections <c>Collab:Consumers:RabbitMq:0</c> and on.</summary>
/// <remarks>
/// The data is the body. Fields are headers; besides, <c>type</c>, <c>message-id</c> and <c>routing-key</c> are the message's own. A message is
/// identified by its <c>message-id</c>, unless <see cref="ConsumerOptions.IdField"/> says otherwise.
/// </remarks>
internal sealed class RabbitMqConsumerOptions : ConsumerOptions
{
    /// <summary>The broker: <c>amqp://user:password@host:5672/vhost</c>, or <c>amqps://…</c> for TLS.</summary>
    public string Uri { get; set; } = "";

    /// <summary>The queue. It must be there, and be durable to lose nothing.</summary>
    public string Queue { get; set; } = "";

    /// <summary>How many messages RabbitMQ hands over before it wants acknowledgements, 1 to 10000. Default 200.</summary>
    public int Prefetch { get; set; } = 200;

    /// <summary>
    /// Whether one node at a time reads the queue, which keeps the order. Default true; false where the queue has a single active consumer anyway,
    /// or where the order does not matter.
    /// </summary>
    public bool Exclusive { get; set; } = true;

    public override string? Fault(string section) =>
        base.Fault(section) is { } fault ? fault
        : RabbitMqBroker.Fault($"{section}:Uri", Uri) is { } wrong ? wrong
        : string.IsNullOrEmpty(Queue) ? $"{section}:Queue must be the name of a queue."
        : Prefetch is < 1 or > 10_000 ? $"{section}:Prefetch must be 1 to 10000 messages."
        : null;
}
