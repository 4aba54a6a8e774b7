using System.Diagnostics.Metrics;

namespace Collab.Server.Consumers;

/// <summary>What consumers have read, for <c>System.Diagnostics.Metrics</c>: meter <c>Collab.Consumers</c>.</summary>
internal sealed class ConsumerMetrics
{
    public const string MeterName = "Collab.Consumers";

    private readonly Counter<long> _published;
    private readonly Counter<long> _refused;

    public ConsumerMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _published = meter.CreateCounter<long>(
            "collab.consumers.published", "{message}", "Messages from buses that are in their channels, by consumer; one that came again counts again.");
        _refused = meter.CreateCounter<long>(
            "collab.consumers.refused", "{message}", "Messages from buses that never will be, by consumer: no JSON, too large, or for a channel that they may not name.");
    }

    public void Taken(string consumer, int published, int refused)
    {
        var tag = KeyValuePair.Create<string, object?>("consumer", consumer);
        if (published > 0)
            _published.Add(published, tag);
        if (refused > 0)
            _refused.Add(refused, tag);
    }
}
