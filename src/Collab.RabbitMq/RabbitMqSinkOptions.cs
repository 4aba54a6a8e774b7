namespace Collab.RabbitMq;

/// <summary>An exchange that events are published to. Configuration sections <c>Collab:Events:RabbitMq:0</c> and on, beside which events it gets.</summary>
internal sealed class RabbitMqSinkOptions
{
    // What AMQP allows, and the longest that stand in a key: "documents/" and a room's name, and a type.
    private const int MaxRoutingKey = 255;
    private const int MaxSubject = 210;
    private const int MaxType = 30;
    private const string Subject = "{subject}";
    private const string Type = "{type}";

    /// <summary>What the sink is known by.</summary>
    public string Name { get; set; } = "";

    /// <summary>The broker: <c>amqp://user:password@host:5672/vhost</c>, or <c>amqps://…</c> for TLS.</summary>
    public string Uri { get; set; } = "";

    /// <summary>The exchange; empty for the default one, in which the routing key is the name of a queue.</summary>
    public string Exchange { get; set; } = "";

    /// <summary>Declares the exchange with this type (<c>topic</c>, <c>fanout</c>, <c>x-consistent-hash</c>), durable. Without it the exchange must be there.</summary>
    public string? ExchangeType { get; set; }

    /// <summary>
    /// The routing key, in which <c>{subject}</c> stands for the event's subject, a point for each slash, and <c>{type}</c> for its type. Default
    /// <c>{subject}</c>, such as <c>documents.acme.plan</c>.
    /// </summary>
    public string RoutingKey { get; set; } = "{subject}";

    /// <summary>Whether an event that no queue is bound for has failed, and is tried again. Default true; otherwise RabbitMQ drops it.</summary>
    public bool Mandatory { get; set; } = true;

    /// <summary>
    /// How many events of one room may be under way unconfirmed, 1 to 1000. More than 1, the default, is faster; but where RabbitMQ refuses one of
    /// them (a full queue with <c>x-overflow: reject-publish</c>), those after it are in the queue before it.
    /// </summary>
    public int Batch { get; set; } = 1;

    public string? Fault(string section) =>
        RabbitMqBroker.Fault($"{section}:Uri", Uri) is { } fault ? fault
        : string.IsNullOrEmpty(Exchange) && RoutingKey.Contains('{') ? $"{section}:Exchange must name an exchange; without one RoutingKey must be the name of a queue."
        : string.IsNullOrEmpty(Exchange) && !string.IsNullOrEmpty(ExchangeType) ? $"{section}:ExchangeType needs Exchange, the name of the exchange to declare."
        : RoutingKeyOf(new string('s', MaxSubject), new string('t', MaxType)).Length > MaxRoutingKey
            ? $"{section}:RoutingKey must be at most {MaxRoutingKey} characters, of which {{subject}} takes up to {MaxSubject} and {{type}} up to {MaxType}."
        : Batch is < 1 or > 1000 ? $"{section}:Batch must be 1 to 1000 events."
        : null;

    /// <summary>The routing key of an event.</summary>
    public string RoutingKeyOf(string subject, string type) =>
        RoutingKey.Replace(Subject, subject.Replace('/', '.'), StringComparison.Ordinal).Replace(Type, type, StringComparison.Ordinal);
}
