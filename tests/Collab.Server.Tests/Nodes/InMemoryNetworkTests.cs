using Collab.Server.Nodes;
using Collab.Testing.Nodes;

namespace Collab.Server.Tests.Nodes;

/// <summary>The network that the tests of nodes use behaves as a backplane must.</summary>
public sealed class InMemoryNetworkTests : BackplaneConformance
{
    private readonly InMemoryNetwork _network = new();

    protected override Task<IBackplane> ConnectAsync() => Task.FromResult(_network.Connect());
}
