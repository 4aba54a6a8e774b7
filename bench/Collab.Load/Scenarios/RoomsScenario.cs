using Collab.Load.Servers;
using Collab.Load.Sockets;
using Collab.Load.Statistics;

namespace Collab.Load.Scenarios;

/// <summary>200 rooms of 5 clients with 10 updates a second each: 2,000 updates in, 8,000 deliveries out a second.</summary>
internal sealed class RoomsScenario(double seconds) : IScenario
{
    public string Name => "rooms";

    public void Run(ServerKind kind, SocketLoop loop, Report report)
    {
        using var server = new ServerProcess(kind);
        var result = new Traffic(new TrafficPlan(200, 5, WritersPerRoom: 5, Rate: 2000, WarmUp: 5, seconds), loop, server).Run();
        report.Add("200 rooms of 5, 10 updates/s each", kind.Name, result.Figures);
    }
}
