using System.Collections.Concurrent;
using System.Text.Json;
using Collab.Testing;
using Collab.Testing.Events;

namespace Collab.Host.Tests.Scaleout;

/// <summary>Events out, and changes of tables in, over three nodes of which one does it: it is killed, and another goes on.</summary>
public sealed class EventNodesTests
{
    [Fact]
    public async Task Every_acknowledged_message_is_told_in_order_though_the_node_that_delivers_is_killed()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var cluster = await Cluster.StartAsync(
        [
            ("Collab__Events__Webhooks__0__Name", "hook"),
            ("Collab__Events__Webhooks__0__Url", receiver.Url),
            ("Collab__Events__Webhooks__0__Keys__0", "whsec_" + Convert.ToBase64String(new byte[32])),
            ("Collab__Events__Webhooks__0__AllowHttp", "true"),
            ("Collab__Events__Webhooks__0__AllowedNetworks__0", "127.0.0.0/8"),
            ("Collab__Events__Webhooks__0__Events__0", "channel.published"),
        ]);
        using var http = new HttpClient();
        var acknowledged = new ConcurrentBag<(string Channel, int Number)>();
        using var enough = new CancellationTokenSource();
        // One channel for each node, and each publisher goes to another node when his does not answer.
        var publishers = Enumerable.Range(0, Cluster.Nodes).Select(async publisher =>
        {
            for (var (number, node) = (0, publisher); !enough.IsCancellationRequested; number++)
            {
                while (!await TryPublishAsync(http, cluster.Urls[node], $"c{publisher}", number))
                    node = (node + 1) % Cluster.Nodes;
                acknowledged.Add(($"c{publisher}", number));
            }
        }).ToArray();
        await receiver.UntilTakenAsync(50);

        var leader = cluster.NodeThatSaid("This node delivers events");
        await cluster.CrashAsync(leader!.Value);
        await Task.Delay(1000);
        await enough.CancelAsync();
        await Task.WhenAll(publishers);

        var wanted = acknowledged.ToHashSet();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!wanted.IsSubsetOf(Told(receiver)))
            await Task.Delay(100, patience.Token);
        foreach (var channel in Told(receiver).GroupBy(one => one.Channel))
            Assert.Equal(channel.Select(one => one.Number).Order(), channel.Select(one => one.Number));
    }

    [Fact]
    public async Task Each_row_is_told_once_and_in_order_though_the_node_that_reads_is_killed()
    {
        await using var cluster = await Cluster.StartAsync(
            [("Collab__PostgresChanges__Tables__0", "public.rows")],
            "CREATE TABLE rows (id bigint PRIMARY KEY)");
        const int rows = 600;
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < rows; i += 10)
            {
                await cluster.Postgres.RunSqlAsync("postgres", $"INSERT INTO rows SELECT generate_series({i + 1}, {i + 10})");
                await Task.Delay(100);
            }
        });
        await UntilAsync(async () => (await RowsAsync(cluster, 0)).Count > 50);

        for (var node = 0; node < Cluster.Nodes; node++)
            await cluster.CrashAsync(node);
        await writing;

        for (var node = 0; node < Cluster.Nodes; node++)
        {
            await UntilAsync(async () => (await RowsAsync(cluster, node)).Count >= rows);
            Assert.Equal(Enumerable.Range(1, rows).Select(id => (long)id), await RowsAsync(cluster, node));
        }
    }

    private static async Task<bool> TryPublishAsync(HttpClient http, string url, string channel, int number)
    {
        using var message = new StringContent($$"""{ "event": "said", "data": {{number}} }""", System.Text.Encoding.UTF8, "application/json");
        // Published again after an answer that did not come, it is the same message.
        message.Headers.Add("Idempotency-Key", $"{number}");
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"{url}/channels/{channel}/messages")) { Content = message };
        try
        {
            using var answer = await http.SendAsync(request);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static List<(string Channel, int Number)> Told(WebhookReceiver receiver) =>
        [.. receiver.Taken.DistinctBy(request => request.Id).SelectMany(request => request.Numbers.Select(number => (request.Channel, number)))];

    private static async Task<List<long>> RowsAsync(Cluster cluster, int node)
    {
        using var http = new HttpClient();
        var rows = new List<long>();
        for (string? after = null; ;)
        {
            var query = after is null ? "" : $"&after={after}";
            JsonElement page;
            try
            {
                page = JsonElement.Parse(await http.GetStringAsync(new Uri($"{cluster.Urls[node]}/channels/db%3Apublic.rows/messages?wait=0&limit=1000{query}")));
            }
            catch (HttpRequestException)
            {
                return [];
            }

            var messages = page.GetProperty("messages").EnumerateArray().ToArray();
            if (messages.Length == 0)
                return rows;
            rows.AddRange(messages.Select(message => message.GetProperty("data").GetProperty("record").GetProperty("id").GetInt64()));
            after = messages[^1].GetProperty("position").GetString();
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition())
            await Task.Delay(100, patience.Token);
    }
}
