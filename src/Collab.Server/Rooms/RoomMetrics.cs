using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Collab.Server.Rooms;

/// <summary>
/// What is committed to documents and channels, for <c>System.Diagnostics.Metrics</c>: meter <c>Collab.Rooms</c>, each value with the
/// tag <c>kind</c>, <c>document</c> or <c>channel</c>.
/// </summary>
internal sealed class RoomMetrics
{
    public const string MeterName = "Collab.Rooms";

    private readonly Histogram<double> _acknowledgement;
    private readonly Histogram<int> _batch;
    private readonly Counter<long> _compactions;
    private readonly Totals _documents = new("document");
    private readonly Totals _channels = new("channel");

    public RoomMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _acknowledgement = meter.CreateHistogram(
            "collab.rooms.acknowledgement", "s", "From taking an update or message to its acknowledgement: it is durable and on its way to the others.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] });
        _batch = meter.CreateHistogram(
            "collab.rooms.commit.entries", "{entry}", "Updates or messages of one room that are committed together.",
            advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500] });
        _compactions = meter.CreateCounter<long>("collab.documents.compactions", "{compaction}", "Document logs that became one snapshot.");
        meter.CreateObservableCounter("collab.rooms.entries", () => Both(totals => totals.Entries), "{entry}", "Updates and messages that were committed.");
        meter.CreateObservableCounter("collab.rooms.refused", () => Both(totals => totals.Refused), "{entry}", "Updates and messages that the store did not take.");
        meter.CreateObservableUpDownCounter("collab.rooms.open", () => Both(totals => totals.Open()), "{room}", "Rooms that are open on this node.");
        meter.CreateObservableUpDownCounter("collab.rooms.resident", () => Both(totals => totals.ResidentBytes()), "By", "Memory for what open rooms hold of their logs.");
    }

    /// <summary>Says where the numbers of one kind come from that are only looked at when somebody asks.</summary>
    public void Observe(RoomKind kind, Func<long> open, Func<long> residentBytes) => (Of(kind).Open, Of(kind).ResidentBytes) = (open, residentBytes);

    /// <summary>How many updates or messages were committed since the start.</summary>
    public long Entries(RoomKind kind) => Of(kind).Entries;

    /// <summary>A batch has become durable.</summary>
    public void Committed(RoomKind kind, int entries)
    {
        Of(kind).Add(entries);
        _batch.Record(entries, Of(kind).Tag);
    }

    /// <summary>One update or message is acknowledged now.</summary>
    /// <param name="kind">Where.</param>
    /// <param name="since">When it was taken, by <see cref="Stopwatch.GetTimestamp"/>.</param>
    public void Acknowledged(RoomKind kind, long since)
    {
        if (_acknowledgement.Enabled)
            _acknowledgement.Record(Stopwatch.GetElapsedTime(since).TotalSeconds, Of(kind).Tag);
    }

    /// <summary>The store did not take a batch.</summary>
    public void Refused(RoomKind kind, int entries) => Of(kind).Refuse(entries);

    public void Compacted() => _compactions.Add(1);

    private Totals Of(RoomKind kind) => kind is RoomKind.Document ? _documents : _channels;

    private Measurement<long>[] Both(Func<Totals, long> value) =>
        [new(value(_documents), _documents.Tag), new(value(_channels), _channels.Tag)];

    private sealed class Totals(string kind)
    {
        private long _entries;
        private long _refused;

        public KeyValuePair<string, object?> Tag { get; } = new("kind", kind);

        public Func<long> Open { get; set; } = static () => 0;

        public Func<long> ResidentBytes { get; set; } = static () => 0;

        public long Entries => Volatile.Read(ref _entries);

        public long Refused => Volatile.Read(ref _refused);

        public void Add(int entries) => Interlocked.Add(ref _entries, entries);

        public void Refuse(int entries) => Interlocked.Add(ref _refused, entries);
    }
}
