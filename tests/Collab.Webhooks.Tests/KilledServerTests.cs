using System.Collections.Concurrent;
using Collab.Testing;
using Collab.Testing.Events;

namespace Collab.Webhooks;

/// <summary>What was acknowledged is told, though the server is killed with SIGKILL at any moment.</summary>
public sealed class KilledServerTests
{
    private static readonly (string, string)[] Settings =
    [
        ("Collab__Events__Webhooks__0__Name", "hook"),
        ("Collab__Events__Webhooks__0__Keys__0", "whsec_" + Convert.ToBase64String(new byte[32])),
        ("Collab__Events__Webhooks__0__AllowHttp", "true"),
        ("Collab__Events__Webhooks__0__AllowedNetworks__0", "127.0.0.0/8"),
        ("Collab__Events__Webhooks__0__Events__0", "channel.published"),
    ];

    [Fact]
    public async Task Every_acknowledged_message_is_told_and_those_of_a_channel_in_order()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        using var folder = new TemporaryFolder();
        var acknowledged = new ConcurrentBag<(string Channel, int Number)>();
        for (var round = 0; round < 3; round++)
        {
            await using var host = await StartAsync(folder, receiver);
            var start = round * 10_000;
            var writers = Enumerable.Range(0, 4).Select(async writer =>
            {
                var channel = new ChannelClient(await host.ConnectAsync());
                for (var i = start; ; i++)
                {
                    await channel.PublishAsync($"c{writer}", "said", i);
                    acknowledged.Add(($"c{writer}", i));
                }
            }).ToArray();
            using var begun = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            while (acknowledged.Count < 300 * (round + 1))
                await Task.Delay(5, begun.Token);
            await host.KillAsync();
            foreach (var writer in writers)
                await Record.ExceptionAsync(() => writer.WaitAsync(TimeSpan.FromSeconds(30)));
        }

        await using var last = await StartAsync(folder, receiver);
        var wanted = acknowledged.ToHashSet();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!wanted.IsSubsetOf(Told(receiver)))
            await Task.Delay(50, patience.Token);

        // What comes again has the id that it had; without it each channel's messages are in order.
        foreach (var channel in Told(receiver).GroupBy(one => one.Channel))
            Assert.Equal(channel.Select(one => one.Number).Order(), channel.Select(one => one.Number));
        Assert.Equal(
            receiver.Taken.Select(request => request.Id).Distinct().Count(), receiver.Taken.Select(request => (request.Id, request.Body)).Distinct().Count());
    }

    private static Task<HostProcess> StartAsync(TemporaryFolder folder, WebhookReceiver receiver) =>
        HostProcess.Launch(folder.Path, settings: [.. Settings, ("Collab__Events__Webhooks__0__Url", receiver.Url)]).ReadyAsync();

    private static List<(string Channel, int Number)> Told(WebhookReceiver receiver) =>
        [.. receiver.Taken.DistinctBy(request => request.Id).SelectMany(request => request.Numbers.Select(number => (request.Channel, number)))];
}
