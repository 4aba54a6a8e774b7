using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Collab.Storage;

/// <summary>What a store does, for <c>System.Diagnostics.Metrics</c>: meter <c>Collab.Storage</c>.</summary>
internal sealed class StorageMetrics
{
    public const string MeterName = "Collab.Storage";

    private readonly Histogram<double> _duration;
    private readonly Histogram<int> _writes;
    private readonly ConcurrentDictionary<string, Func<bool>> _health = new(StringComparer.Ordinal);
    private Func<long> _queuedBytes = static () => 0;

    /// <param name="meters">The application's; null for none.</param>
    public StorageMetrics(IMeterFactory? meters = null)
    {
        var meter = meters?.Create(MeterName) ?? new Meter(MeterName);
        _duration = meter.CreateHistogram(
            "collab.storage.commit.duration", "s", "How long a transaction takes, until it is durable.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5] });
        _writes = meter.CreateHistogram(
            "collab.storage.commit.writes", "{write}", "Writes, of all rooms, that share one transaction.",
            advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 5, 10, 25, 50, 100, 250, 500] });
        meter.CreateObservableGauge(
            "collab.storage.available",
            () => _health.Select(one => new Measurement<int>(one.Value() ? 1 : 0, new KeyValuePair<string, object?>("operation", one.Key))),
            "1",
            "1 while reads, or writes, succeed.");
        meter.CreateObservableUpDownCounter("collab.storage.queued", () => _queuedBytes(), "By", "What waits to be committed.");
    }

    /// <summary>Says who knows whether an operation succeeds: <c>reads</c> or <c>writes</c>.</summary>
    public void ObserveHealth(string operation, Func<bool> isAvailable) => _health[operation] = isAvailable;

    /// <summary>Says who knows how many bytes wait.</summary>
    public void ObserveQueue(Func<long> queuedBytes) => _queuedBytes = queuedBytes;

    public void Committed(int writes, TimeSpan duration)
    {
        _writes.Record(writes);
        _duration.Record(duration.TotalSeconds);
    }
}
