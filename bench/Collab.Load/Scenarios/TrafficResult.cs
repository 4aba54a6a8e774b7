using Collab.Load.Statistics;

namespace Collab.Load.Scenarios;

/// <summary>What one run of <see cref="Traffic"/> measured. Rates are per second, times in milliseconds, CPU in percent of a core.</summary>
internal sealed record TrafficResult
{
    /// <summary>The bound on the p99 of delivery up to which a rate counts as carried.</summary>
    public const double MaxDeliveryP99 = 250;

    public required double Sent { get; init; }

    public required double Delivered { get; init; }

    /// <summary>Messages that carried updates, over all members.</summary>
    public required double Frames { get; init; }

    public required double DeliveryP50 { get; init; }

    public required double DeliveryP99 { get; init; }

    public required double AcknowledgementP50 { get; init; }

    public required double AcknowledgementP99 { get; init; }

    /// <summary>Microseconds of server CPU.</summary>
    public required double CpuPerDelivery { get; init; }

    public required double ServerCpu { get; init; }

    public required double GeneratorCpu { get; init; }

    public required double PeakMegabytes { get; init; }

    /// <summary>Deliveries that never came, within 4 seconds after the last update.</summary>
    public required long Lost { get; init; }

    public required long Unacknowledged { get; init; }

    /// <summary>Messages that some reader got in another order than the others, or twice; where updates need no order, 0.</summary>
    public long Disordered { get; init; }

    public required string? Fault { get; init; }

    public bool IsCarried => Lost == 0 && Unacknowledged == 0 && Fault is null && DeliveryP99 <= MaxDeliveryP99;

    public IEnumerable<Figure> Figures =>
    [
        new("sent/s", Sent),
        new("deliveries/s", Delivered),
        new("messages/s", Frames),
        new("delivery p50 ms", DeliveryP50),
        new("delivery p99 ms", DeliveryP99),
        new("ack p50 ms", AcknowledgementP50),
        new("ack p99 ms", AcknowledgementP99),
        new("CPU µs/delivery", CpuPerDelivery),
        new("server CPU %", ServerCpu),
        new("generator CPU %", GeneratorCpu),
        new("peak MB", PeakMegabytes),
        new("lost", Lost),
        new("not acked", Unacknowledged),
    ];
}
