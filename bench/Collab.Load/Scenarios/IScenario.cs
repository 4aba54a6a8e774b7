using Collab.Load.Servers;
using Collab.Load.Sockets;
using Collab.Load.Statistics;

namespace Collab.Load.Scenarios;

/// <summary>One kind of work that every server gets. It starts its own server, so that no run sees what another left.</summary>
internal interface IScenario
{
    /// <summary>The name on the command line.</summary>
    string Name { get; }

    void Run(ServerKind kind, SocketLoop loop, Report report);
}
