using System.Diagnostics.Metrics;

namespace Collab.PostgresChanges;

/// <summary>How the tables are followed, for <c>System.Diagnostics.Metrics</c>: meter <c>Collab.PostgresChanges</c>.</summary>
internal sealed class ChangesMetrics
{
    public const string MeterName = "Collab.PostgresChanges";

    private readonly Counter<long> _messages;
    private readonly Counter<long> _restarts;

    public ChangesMetrics(IMeterFactory meters, ChangesStatus status)
    {
        var meter = meters.Create(MeterName);
        _messages = meter.CreateCounter<long>("collab.changes.messages", "{message}", "Changes of tables that became messages.");
        _restarts = meter.CreateCounter<long>("collab.changes.restarts", "{channel}", "Channels of tables that began anew, as changes may be lost.");
        meter.CreateObservableGauge("collab.changes.reading", () => status.IsReading ? 1 : 0, "1", "1 on the node that reads the changes.");
        meter.CreateObservableGauge("collab.changes.lag", () => Of(status.Lag?.Bytes), "By", "How much of the write-ahead log has not been taken yet.");
        meter.CreateObservableGauge("collab.changes.kept_wal", () => Of(status.Lag?.KeptBytes), "By", "How much of the write-ahead log the server keeps for the slot.");
    }

    public void Stored(int messages) => _messages.Add(messages);

    public void Restarted() => _restarts.Add(1);

    private static Measurement<long>[] Of(long? value) => value is { } known ? [new Measurement<long>(known)] : [];
}
