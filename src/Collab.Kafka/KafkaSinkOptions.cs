namespace Collab.Kafka;

/// <summary>A topic that events are produced to. Configuration sections <c>Collab:Events:Kafka:0</c> and on, beside which events it gets.</summary>
internal sealed class KafkaSinkOptions
{
    // What the promises rest on, and what has a setting of its own.
    private static readonly string[] Fixed = ["acks", "request.required.acks", "bootstrap.servers", "metadata.broker.list", "enable.idempotence", "enable.gapless.guarantee"];

    /// <summary>What the sink is known by.</summary>
    public string Name { get; set; } = "";

    /// <summary>Some of the brokers: <c>kafka-1.example:9092,kafka-2.example:9092</c>.</summary>
    public string BootstrapServers { get; set; } = "";

    /// <summary>The topic. It must be there, or be made by the brokers on demand.</summary>
    public string Topic { get; set; } = "";

    /// <summary>More settings of the client, by librdkafka's names: <c>security.protocol</c>, <c>sasl.username</c>, <c>message.timeout.ms</c> (here 15000).</summary>
    public IDictionary<string, string> Client { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        // Later an event has failed, and is tried again.
        ["message.timeout.ms"] = "15000",
        // As Java's clients choose partitions.
        ["partitioner"] = "murmur2_random",
    };

    public string? Fault(string section) =>
        string.IsNullOrEmpty(BootstrapServers) ? $"{section}:BootstrapServers must name brokers, such as kafka-1.example:9092,kafka-2.example:9092."
        : string.IsNullOrEmpty(Topic) ? $"{section}:Topic must be the name of a topic."
        : Fixed.FirstOrDefault(Client.ContainsKey) is { } setting ? $"{section}:Client:{setting} cannot be set: it is as the promises need it."
        : null;
}
