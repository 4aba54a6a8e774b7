// Lets events wait in the outbox, and times how fast they go out once their sink takes them: a sink that takes a hundred of a channel at once, one that
// takes them one by one, and a webhook (signed, over HTTP, to a server in this process). Arguments: how many events (default 20,000), of how many
// channels (default 200).
using System.Diagnostics;
using System.Globalization;
using Collab.Server;
using Collab.Server.Events;
using Collab.Testing;
using Collab.Webhooks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var events = args.Length > 0 ? int.Parse(args[0]) : 20_000;
var channels = args.Length > 1 ? int.Parse(args[1]) : 200;

await RunAsync("a hundred at once", collab => collab.AddEventSink("bench", new EventSubscription(), _ => new CountingSink(100)));
await RunAsync("one by one", collab => collab.AddEventSink("bench", new EventSubscription(), _ => new CountingSink(1)));

var builder = WebApplication.CreateBuilder();
builder.WebHost.UseUrls("http://127.0.0.1:0");
builder.Logging.ClearProviders();
await using var receiver = builder.Build();
receiver.MapPost("/", async (HttpContext context) =>
{
    await Gate.Open.Task;
    await context.Request.Body.CopyToAsync(Stream.Null);
    Gate.Count(1);
    return Results.NoContent();
});
await receiver.StartAsync();
await RunAsync("a webhook", collab => collab.AddWebhook(
    "bench",
    new WebhookOptions
    {
        Url = receiver.Urls.First(),
        Keys = { "whsec_" + Convert.ToBase64String(new byte[32]) },
        AllowHttp = true,
        AllowedNetworks = { "127.0.0.0/8" },
    },
    new EventSubscription()));

async Task RunAsync(string name, Action<ICollabBuilder> configure)
{
    Gate.Close(events);
    var folder = Directory.CreateTempSubdirectory("collab-events-").FullName;
    await using (var host = await CollabTestHost.StartAsync(
        [("Collab:DataDirectory", folder), ("Collab:Events:TimeoutSeconds", "600"), ("Collab:Channels:PublishesPerSecond", "0"), ("Collab:Limits:RequestsPerSecond", "0")],
        collab => configure(collab.AddSqliteStore())))
    {
        var client = new ChannelClient(await host.ConnectAsync());
        var written = Stopwatch.StartNew();
        await Parallel.ForEachAsync(Enumerable.Range(0, events), new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (i, _) =>
            await client.PublishAsync($"c{i % channels}", "said", new { number = i, text = "what was said" }));
        written.Stop();

        var delivered = Stopwatch.StartNew();
        Gate.Open.SetResult();
        await Gate.Done.Task;
        delivered.Stop();
        Console.WriteLine(
            $"{name,-18} {events / delivered.Elapsed.TotalSeconds,8:n0} events/s delivered, {events / written.Elapsed.TotalSeconds,8:n0}/s published before");
    }

    Directory.Delete(folder, recursive: true);
}

/// <summary>Holds what is delivered back until it is opened, and counts it.</summary>
internal static class Gate
{
    private static int _left;

    public static TaskCompletionSource Open { get; private set; } = new();

    public static TaskCompletionSource Done { get; private set; } = new();

    public static void Close(int events) =>
        (Open, Done, _left) = (new(TaskCreationOptions.RunContinuationsAsynchronously), new(TaskCreationOptions.RunContinuationsAsynchronously), events);

    public static void Count(int events)
    {
        if (Interlocked.Add(ref _left, -events) == 0)
            Done.TrySetResult();
    }
}

/// <summary>A sink that only counts.</summary>
internal sealed class CountingSink(int maxBatch) : IEventSink
{
    public int MaxBatch => maxBatch;

    public async ValueTask<EventOutcome> SendAsync(IReadOnlyList<OutgoingEvent> events, CancellationToken cancellationToken)
    {
        await Gate.Open.Task;
        Gate.Count(events.Count);
        return EventOutcome.Delivered;
    }
}
