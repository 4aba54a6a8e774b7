using Collab.Host.Tests.Gateways;
using Collab.Testing;
using Microsoft.AspNetCore.Http.Connections;

namespace Collab.Host.Tests.Scaleout;

/// <summary>Clients of every protocol, each on a node of its own, in one document.</summary>
public sealed class GatewayNodesTests
{
    private static readonly byte[] Address = [1, (byte)'d'];

    [Fact]
    public async Task Clients_of_other_protocols_meet_across_nodes_and_lose_nothing_when_one_crashes()
    {
        await using var cluster = await Cluster.StartAsync();
        await using var yWebSocket = await YjsClient.ConnectAsync(cluster.Urls[0], "/yjs/d", []);
        await using var hocuspocus = await YjsClient.ConnectAsync(cluster.Urls[1], "/hocuspocus", Address);
        await using var hub = TestClient.Create(cluster.Urls[2], authorization: null, HttpTransportType.WebSockets, messagePack: true);
        await hub.Connection.StartAsync();
        await hub.JoinAsync("d");

        await yWebSocket.PushAsync(new Typist(1).Type("one"));
        await hocuspocus.PushAsync(new Typist(2).Type("two"));
        await hub.PushAsync("d", new Typist(3).Type("three"));

        await yWebSocket.UntilTextAsync(HasAll);
        await hocuspocus.UntilTextAsync(HasAll);
        await cluster.CrashAsync(0);
        await using var later = await YjsClient.ConnectAsync(cluster.Urls[0], "/yjs/d", []);
        await later.UntilTextAsync(HasAll);
        await later.PushAsync(new Typist(4).Type("four"));
        await hocuspocus.UntilTextAsync(text => text.Contains("four", StringComparison.Ordinal));
    }

    private static bool HasAll(string text) =>
        text.Length == 11 && new[] { "one", "two", "three" }.All(word => text.Contains(word, StringComparison.Ordinal));
}
