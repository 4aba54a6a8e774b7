using Collab.Load.Servers;
using Collab.Load.Sockets;
using Collab.Load.Statistics;
using Collab.Load.Updates;

namespace Collab.Load.Scenarios;

/// <summary>How much is written where.</summary>
/// <param name="Rooms">How many documents.</param>
/// <param name="MembersPerRoom">How many clients each has.</param>
/// <param name="WritersPerRoom">How many of them write, in turn.</param>
/// <param name="Rate">Updates a second over all rooms.</param>
/// <param name="WarmUp">Seconds of the same traffic before counting.</param>
/// <param name="Duration">Seconds that are counted.</param>
internal sealed record TrafficPlan(int Rooms, int MembersPerRoom, int WritersPerRoom, double Rate, double WarmUp, double Duration);

/// <summary>
/// Members who write on a fixed schedule and read what the others write. Sending never waits for anything (an open loop), and every
/// latency counts from the moment when the update was due, so a server that stalls cannot hide it by slowing the senders.
/// Update k is the (k / writers)-th of writer k % writers: from what a frame carries, client and clock, follows when it was due.
/// </summary>
internal sealed class Traffic
{
    private static int _runs;

    private readonly TrafficPlan _plan;
    private readonly SocketLoop _loop;
    private readonly IReadOnlyList<ServerProcess> _servers;
    private readonly TrafficMember[] _members;
    private readonly int _writers; // the first so many of the members
    private readonly double _interval;
    private readonly Histogram _deliveryTimes = new();
    private readonly Histogram _acknowledgementTimes = new();
    private long _start;
    private long _from;
    private long _to;
    private long _sent;
    private long _sentInWindow;
    private long _delivered;
    private long _deliveredInWindow;
    private long _framesInWindow;
    private long _acknowledged;

    /// <summary>Prepares the members.</summary>
    /// <param name="plan">What they do.</param>
    /// <param name="loop">Where they do it.</param>
    /// <param name="servers">One server, or several that serve the same rooms: the members of each room are spread over all of them.</param>
    public Traffic(TrafficPlan plan, SocketLoop loop, params IReadOnlyList<ServerProcess> servers)
    {
        (_plan, _loop, _servers) = (plan, loop, servers);
        _interval = 1e9 / plan.Rate;
        var run = _runs++;
        _writers = plan.Rooms * plan.WritersPerRoom;
        _members = new TrafficMember[plan.Rooms * plan.MembersPerRoom];
        for (var member = 0; member < _members.Length; member++)
            _members[member] = new TrafficMember(this, member, servers[member / plan.Rooms % servers.Count], $"traffic-{run}-{member % plan.Rooms}");
    }

    private long Expected => _sent * (_plan.MembersPerRoom - 1);

    private ProcessUsage Usage => _servers.Select(server => server.Usage).Aggregate((a, b) => a + b);

    public TrafficResult Run()
    {
        Member.JoinAll(_loop, _members);
        foreach (var server in _servers)
            server.ResetPeak();
        _start = SocketLoop.Now + 100_000_000;
        _from = _start + (long)(_plan.WarmUp * 1e9);
        _to = _from + (long)(_plan.Duration * 1e9);
        SendUntil(_from);
        var (before, ownBefore) = (Usage, ProcessUsage.Of(Environment.ProcessId));
        var begun = SocketLoop.Now;
        SendUntil(_to);
        var (after, ownAfter) = (Usage, ProcessUsage.Of(Environment.ProcessId));
        var seconds = (SocketLoop.Now - begun) / 1e9;
        var expectedAcknowledgements = _servers[0].Kind.Acknowledges ? _sent : 0;
        _loop.PollUntil(() => _delivered >= Expected && _acknowledged >= expectedAcknowledgements, TimeSpan.FromSeconds(4));
        foreach (var member in _members)
            member.Disconnect();
        return new TrafficResult
        {
            Sent = _sentInWindow / seconds,
            Delivered = _deliveredInWindow / seconds,
            Frames = _framesInWindow / seconds,
            DeliveryP50 = _deliveryTimes.Percentile(0.5),
            DeliveryP99 = _deliveryTimes.Percentile(0.99),
            AcknowledgementP50 = _acknowledgementTimes.Percentile(0.5),
            AcknowledgementP99 = _acknowledgementTimes.Percentile(0.99),
            CpuPerDelivery = (after.CpuSeconds - before.CpuSeconds) * 1e6 / _deliveredInWindow,
            ServerCpu = (after.CpuSeconds - before.CpuSeconds) / seconds * 100,
            GeneratorCpu = (ownAfter.CpuSeconds - ownBefore.CpuSeconds) / seconds * 100,
            PeakMegabytes = Usage.PeakBytes / 1e6,
            Lost = Expected - _delivered,
            Unacknowledged = expectedAcknowledgements - _acknowledged,
            Fault = _members.Select(member => member.Fault).FirstOrDefault(fault => fault is not null),
        };
    }

    private void SendUntil(long end)
    {
        while (SocketLoop.Now is var now && now < end)
        {
            // In bursts of at most a hundred, so that reading is not starved when the generator is late.
            for (var burst = 0; burst < 100 && DueAt(_sent) is var due && due <= now && due < end; burst++)
            {
                var (writer, index) = ((int)(_sent % _writers), (int)(_sent / _writers));
                _members[writer].Push(index, UpdateWriter.Write(writer, index));
                _sent++;
                if (due >= _from)
                    _sentInWindow++;
            }

            _loop.Poll(Math.Min(DueAt(_sent), end) - now);
        }
    }

    private long DueAt(long update) => _start + (long)(update * _interval);

    private long DueAt(int writer, long index) => DueAt(index * _writers + writer);

    private bool IsInWindow(long time) => time >= _from && time < _to;

    private sealed class TrafficMember(Traffic traffic, int number, ServerProcess server, string document) : Member(traffic._loop, server, document)
    {
        // Of each writer in the room, the number of the update before which all have come, and those that came ahead of it.
        private readonly long[] _next = new long[traffic._plan.WritersPerRoom];
        private readonly HashSet<long>?[] _ahead = new HashSet<long>?[traffic._plan.WritersPerRoom];

        protected override void OnUpdated(ReadOnlySpan<byte> update)
        {
            var now = SocketLoop.Now;
            var counts = traffic.IsInWindow(now);
            if (counts)
                traffic._framesInWindow++;
            var ranges = new UpdateRanges(update);
            while (ranges.Next())
            {
                var writer = (int)(ranges.Client - UpdateWriter.ClientOf(0));
                if (writer == number)
                    continue; // an echo
                var end = ranges.End / UpdateWriter.CharactersPerUpdate;
                for (var index = ranges.Start / UpdateWriter.CharactersPerUpdate; index < end; index++)
                {
                    if (!IsNew(writer / traffic._plan.Rooms, index))
                        continue;
                    var due = traffic.DueAt(writer, index);
                    if (traffic.IsInWindow(due))
                        traffic._deliveryTimes.Add(now - due);
                    traffic._delivered++;
                    if (counts)
                        traffic._deliveredInWindow++;
                }
            }
        }

        // What comes twice counts once; what comes out of order counts too, since a Yjs client puts it in order.
        private bool IsNew(int writer, long index)
        {
            ref var next = ref _next[writer];
            ref var ahead = ref _ahead[writer];
            if (index > next)
                return (ahead ??= []).Add(index);
            if (index < next)
                return false;
            next++;
            while (ahead is { Count: > 0 } && ahead.Remove(next))
                next++;
            return true;
        }

        protected override void OnAcknowledged(int index)
        {
            traffic._acknowledged++;
            var due = traffic.DueAt(number, index);
            if (traffic.IsInWindow(due))
                traffic._acknowledgementTimes.Add(SocketLoop.Now - due);
        }
    }
}
