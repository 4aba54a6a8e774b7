using System.Diagnostics.Metrics;

namespace Collab.Server.Fanout;

/// <summary>Connections and what is sent to them, for <c>System.Diagnostics.Metrics</c>: meter <c>Collab.Fanout</c>.</summary>
internal sealed class FanoutMetrics
{
    public const string MeterName = "Collab.Fanout";

    private readonly Counter<long> _dropped;
    private readonly Counter<long> _fellBehind;
    private readonly Counter<long> _stalled;
    private Func<FanoutTotals> _read = static () => FanoutTotals.None;

    public FanoutMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _dropped = meter.CreateCounter<long>(
            "collab.fanout.dropped", "By", "What was not kept in the outboxes of slow readers, and is read from the log for them.");
        _fellBehind = meter.CreateCounter<long>("collab.fanout.fell_behind", "{connection}", "How often a connection's outbox overflowed.");
        _stalled = meter.CreateCounter<long>("collab.fanout.stalled", "{connection}", "Connections that were ended because they took nothing any more.");
        meter.CreateObservableUpDownCounter("collab.connections", Connections, "{connection}", "Open connections by transport.");
        meter.CreateObservableCounter(
            "collab.fanout.deliveries", () => _read().Deliveries, "{message}", "Messages that were written to connections.");
        meter.CreateObservableUpDownCounter("collab.fanout.waiting", () => _read().WaitingBytes, "By", "What waits in the outboxes, all together.");
        meter.CreateObservableUpDownCounter(
            "collab.fanout.behind", () => _read().Behind, "{connection}", "Connections that are being served from the log because they are slow.");
    }

    /// <summary>Says where the numbers come from that are only looked at when somebody asks.</summary>
    public void Observe(Func<FanoutTotals> read) => _read = read;

    public void FellBehind(long droppedBytes)
    {
        _fellBehind.Add(1);
        _dropped.Add(droppedBytes);
    }

    public void Stalled() => _stalled.Add(1);

    private IEnumerable<Measurement<long>> Connections() =>
        _read().Connections.Select(one => new Measurement<long>(one.Value, new KeyValuePair<string, object?>("transport", one.Key)));
}

/// <summary>The connections of this node at one moment.</summary>
/// <param name="Connections">How many there are, by transport.</param>
/// <param name="Deliveries">Messages written to connections since the start.</param>
/// <param name="WaitingBytes">What waits in their outboxes.</param>
/// <param name="Behind">How many of them are being served from the log.</param>
internal sealed record FanoutTotals(IReadOnlyDictionary<string, long> Connections, long Deliveries, long WaitingBytes, long Behind)
{
    public static readonly FanoutTotals None = new(new Dictionary<string, long>(), 0, 0, 0);
}

/// <summary>What an outbox holds at one moment.</summary>
/// <param name="Deliveries">Messages written to its connection.</param>
/// <param name="WaitingBytes">What waits.</param>
/// <param name="Behind">In how many rooms its member is served from the log.</param>
internal readonly record struct OutboxState(long Deliveries, long WaitingBytes, int Behind);
