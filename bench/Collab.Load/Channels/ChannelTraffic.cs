using Collab.Load.Scenarios;
using Collab.Load.Servers;
using Collab.Load.Sockets;
using Collab.Load.Statistics;

namespace Collab.Load.Channels;

/// <summary>How much is published to how many.</summary>
/// <param name="Readers">How many read the channel.</param>
/// <param name="Publishers">How many publish, in turn; they do not read.</param>
/// <param name="Rate">Messages a second of all of them together.</param>
/// <param name="WarmUp">Seconds of the same traffic before counting.</param>
/// <param name="Duration">Seconds that are counted.</param>
internal sealed record ChannelPlan(int Readers, int Publishers, double Rate, double WarmUp, double Duration);

/// <summary>
/// One channel, its publishers and its readers. Publishing follows a fixed schedule and waits for nothing, and every time counts from the
/// moment when the message was due, as in <see cref="Traffic"/>. At the end every reader must have had every message once; Collab's in the
/// one order.
/// </summary>
internal sealed class ChannelTraffic
{
    private const double KeepAliveSeconds = 10;
    private static int _runs;

    private readonly ChannelPlan _plan;
    private readonly SocketLoop _loop;
    private readonly ServerProcess _server;
    private readonly Arrivals _arrivals;
    private readonly Publisher[] _publishers;
    private readonly Reader[] _all;
    private readonly double _interval;
    private readonly Histogram _acknowledgementTimes = new();
    private long _start;
    private int _sent;
    private int _sentInWindow;
    private int _acknowledged;
    private int _keptAlive;

    public ChannelTraffic(ChannelPlan plan, Contender contender, SocketLoop loop, ServerProcess server)
    {
        (_plan, _loop, _server) = (plan, loop, server);
        _interval = 1e9 / plan.Rate;
        _arrivals = new Arrivals(DueAt);
        var feed = new Feed(loop, server.Port, $"traffic-{_runs++}", _arrivals);
        _publishers = [.. Enumerable.Range(0, plan.Publishers).Select(_ => contender.Publisher(feed, OnAcknowledged))];
        _all = [.. Enumerable.Range(0, plan.Readers).Select(_ => contender.Reader(feed)), .. _publishers];
    }

    private long Expected => (long)_sent * _plan.Readers;

    private string? Fault =>
        _all.FirstOrDefault(static reader => reader.Fault is not null)?.Fault
        // The peers promise no order. (A bare hub's readers see the messages of several publishers in different orders.)
        ?? (_server.Kind == ServerKind.Collab && _arrivals.Disordered > 0 ? $"{_arrivals.Disordered} out of order or twice" : null)
        ?? (_arrivals.Distinct != _sent ? $"{_arrivals.Distinct} different messages of {_sent}" : null);

    public TrafficResult Run()
    {
        Reader.ConnectAll(_loop, _all);
        _server.ResetPeak();
        _start = SocketLoop.Now + 100_000_000;
        _arrivals.From = _start + (long)(_plan.WarmUp * 1e9);
        _arrivals.To = _arrivals.From + (long)(_plan.Duration * 1e9);
        PublishUntil(_arrivals.From);
        var (before, ownBefore, begun) = (_server.Usage, ProcessUsage.Of(Environment.ProcessId), SocketLoop.Now);
        PublishUntil(_arrivals.To);
        var (after, ownAfter, seconds) = (_server.Usage, ProcessUsage.Of(Environment.ProcessId), (SocketLoop.Now - begun) / 1e9);
        _loop.PollUntil(() => _arrivals.Count >= Expected && _acknowledged >= _sent, TimeSpan.FromSeconds(4));
        foreach (var reader in _all)
            reader.Disconnect();
        return new TrafficResult
        {
            Sent = _sentInWindow / seconds,
            Delivered = _arrivals.CountInWindow / seconds,
            Frames = _arrivals.FramesInWindow / seconds,
            DeliveryP50 = _arrivals.Times.Percentile(0.5),
            DeliveryP99 = _arrivals.Times.Percentile(0.99),
            AcknowledgementP50 = _acknowledgementTimes.Percentile(0.5),
            AcknowledgementP99 = _acknowledgementTimes.Percentile(0.99),
            CpuPerDelivery = (after.CpuSeconds - before.CpuSeconds) * 1e6 / _arrivals.CountInWindow,
            ServerCpu = (after.CpuSeconds - before.CpuSeconds) / seconds * 100,
            GeneratorCpu = (ownAfter.CpuSeconds - ownBefore.CpuSeconds) / seconds * 100,
            PeakMegabytes = _server.Usage.PeakBytes / 1e6,
            Lost = Expected - _arrivals.Count,
            Unacknowledged = _sent - _acknowledged,
            Disordered = _arrivals.Disordered,
            Fault = Fault,
        };
    }

    private void PublishUntil(long end)
    {
        while (SocketLoop.Now is var now && now < end)
        {
            // In bursts of at most a hundred, so that reading is not starved when the generator is late.
            for (var burst = 0; burst < 100 && DueAt(_sent) is var due && due <= now && due < end; burst++)
            {
                _publishers[_sent % _publishers.Length].Publish(_sent);
                _sent++;
                if (due >= _arrivals.From)
                    _sentInWindow++;
            }

            KeepAlive(now);
            _loop.Poll(Math.Min(Math.Min(DueAt(_sent), end) - now, 20_000_000));
        }
    }

    // Evenly spread, as those of real clients are.
    private void KeepAlive(long now)
    {
        for (var due = (long)((now - _start) / (KeepAliveSeconds * 1e9) * _all.Length); _keptAlive < due; _keptAlive++)
            _all[_keptAlive % _all.Length].KeepAlive();
    }

    private long DueAt(int message) => _start + (long)(message * _interval);

    private void OnAcknowledged(int number)
    {
        _acknowledged++;
        if (DueAt(number) is var due && due >= _arrivals.From && due < _arrivals.To)
            _acknowledgementTimes.Add(SocketLoop.Now - due);
    }
}
