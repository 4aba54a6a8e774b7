using System.Collections.Concurrent;
using Collab.Testing;
using Microsoft.AspNetCore.Http.Connections;

namespace Collab.Host.Tests.Scaleout;

/// <summary>Publishes to a channel, each message under a key until it is acknowledged.</summary>
internal sealed class ChannelPublisher(
    Cluster cluster, Random random, HttpTransportType transport, string channel, int number, ConcurrentDictionary<string, string> acknowledged)
    : Participant(cluster, random, transport)
{
    private readonly Random _random = random;
    private int _next;

    protected override Task BeginAsync(TestClient client) => Task.CompletedTask;

    protected override async Task StepAsync(TestClient client, CancellationToken stop)
    {
        var key = $"{channel}-{number}-{_next}";
        acknowledged[key] = await new ChannelClient(client).PublishAsync(channel, "n", key, key).WaitAsync(Patience, stop);
        _next++;
        await Task.WhenAny(Task.Delay(_random.Next(20, 100), CancellationToken.None), Task.Delay(-1, stop));
    }
}
