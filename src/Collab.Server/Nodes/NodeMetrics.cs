using System.Diagnostics.Metrics;

namespace Collab.Server.Nodes;

/// <summary>What nodes do together, for <c>System.Diagnostics.Metrics</c>: meter <c>Collab.Nodes</c>.</summary>
internal sealed class NodeMetrics
{
    public const string MeterName = "Collab.Nodes";

    private readonly Counter<long> _said;
    private readonly Counter<long> _heard;
    private readonly Counter<long> _healed;
    private readonly Counter<long> _restored;
    private Func<int> _others = static () => 0;

    public NodeMetrics(IMeterFactory meters, IBackplane backplane)
    {
        var meter = meters.Create(MeterName);
        _said = meter.CreateCounter<long>("collab.nodes.said", "{message}", "Messages to other nodes.");
        _heard = meter.CreateCounter<long>("collab.nodes.heard", "{message}", "Messages from other nodes.");
        _healed = meter.CreateCounter<long>(
            "collab.nodes.healed", "{room}", "Rooms that were behind the store, as the backplane had lost something, and were brought up to it.");
        _restored = meter.CreateCounter<long>("collab.nodes.restored", "{time}", "How often the backplane came back.");
        meter.CreateObservableUpDownCounter("collab.nodes.others", () => _others(), "{node}", "Other nodes that are heard of.");
        meter.CreateObservableGauge(
            "collab.nodes.backplane", () => backplane is { IsShared: true, IsConnected: true } ? 1 : 0, "1", "1 while the backplane is connected.");
    }

    /// <summary>Says who knows the other nodes.</summary>
    public void Observe(Func<int> others) => _others = others;

    public void Said() => _said.Add(1);

    public void Heard() => _heard.Add(1);

    public void Healed(int rooms) => _healed.Add(rooms);

    public void Restored() => _restored.Add(1);
}
