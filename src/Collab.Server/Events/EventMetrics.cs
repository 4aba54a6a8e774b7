using System.Diagnostics.Metrics;

namespace Collab.Server.Events;

/// <summary>What becomes of events, for <c>System.Diagnostics.Metrics</c>: meter <c>Collab.Events</c>, each by sink.</summary>
internal sealed class EventMetrics
{
    public const string MeterName = "Collab.Events";

    private readonly Meter _meter;
    private readonly Counter<long> _delivered;
    private readonly Counter<long> _failed;
    private readonly Counter<long> _dead;
    private readonly Histogram<double> _age;

    public EventMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        _delivered = _meter.CreateCounter<long>("collab.events.delivered", "{event}", "Events that their sink has taken.");
        _failed = _meter.CreateCounter<long>("collab.events.failed", "{attempt}", "Attempts that failed and are made again.");
        _dead = _meter.CreateCounter<long>("collab.events.dead", "{event}", "Events that were given up.");
        _age = _meter.CreateHistogram<double>("collab.events.delivery.duration", "s", "From when an event is durable to when its sink has taken it.");
    }

    /// <summary>Lets itself be asked how many events wait for a sink, on the node that delivers them.</summary>
    public void Observe(string sink, Func<long> waiting) =>
        _meter.CreateObservableGauge(
            "collab.events.waiting", () => new Measurement<long>(waiting(), TagOf(sink)), "{event}", "Events that were written down and not delivered, on the node that delivers them.");

    public void Delivered(string sink, IReadOnlyList<OutgoingEvent> events, DateTimeOffset now)
    {
        var tag = TagOf(sink);
        _delivered.Add(events.Count, tag);
        foreach (var one in events)
            _age.Record(Math.Max((now - one.Time).TotalSeconds, 0), tag);
    }

    public void Failed(string sink) => _failed.Add(1, TagOf(sink));

    public void Dead(string sink) => _dead.Add(1, TagOf(sink));

    private static KeyValuePair<string, object?> TagOf(string sink) => KeyValuePair.Create<string, object?>("sink", sink);
}
