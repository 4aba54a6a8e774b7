// Types a document of 100,000 edits (one letter each, or the deletion of one), keeps a version after every so many of them, and prints what
// versions cost. Arguments: how many edits (default 100,000), how many versions (default 100).
using System.Diagnostics;
using System.Globalization;
using Collab.Crdt;
using Collab.Server;
using Collab.Server.Documents;
using Collab.Server.Rooms;
using Collab.Testing;
using Microsoft.Extensions.DependencyInjection;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var edits = args.Length > 0 ? int.Parse(args[0]) : 100_000;
var versions = args.Length > 1 ? int.Parse(args[1]) : 100;
var folder = Directory.CreateTempSubdirectory("collab-versions-").FullName;
await using var host = await CollabTestHost.StartAsync(
    [("Collab:DataDirectory", folder), ("Collab:Documents:BeatMilliseconds", "0"), ("Collab:Versions:Automatic", "false")],
    collab => collab.AddSqliteStore());
var documents = host.Services.GetRequiredService<IDocumentClient>();
var log = host.Services.GetRequiredService<IRoomLog>();
var random = new Random(1);
var ids = new List<string>();
var creating = new List<double>();

for (var version = 0; version < versions; version++)
{
    // As bursts of typing at a place, now and then a step back: what people do.
    for (var left = edits / versions; left > 0;)
    {
        var burst = Math.Min(left, random.Next(5, 60));
        await documents.EditAsync(
            "doc",
            doc =>
            {
                var text = doc.GetText("text");
                var at = random.Next(text.Length + 1);
                for (var i = 0; i < burst; i++)
                {
                    if (random.Next(8) == 0 && at > 0)
                        text.Delete(--at, 1);
                    else
                        text.Insert(at++, ((char)('a' + random.Next(26))).ToString());
                }
            },
            new DocumentEditOptions { UserId = $"user {random.Next(5)}" });
        left -= burst;
    }
    var (created, time) = await TimeAsync(() => host.SendAsync(HttpMethod.Post, "/documents/doc/versions"));
    creating.Add(time);
    ids.Add((await created.JsonAsync()).GetProperty("id").GetString()!);
}

var page = await log.ReadAsync(new RoomKey(RoomKind.Versions, "doc"), 0, int.MaxValue, long.MaxValue, default);
var stored = (page.Snapshot?.Data.Length ?? 0) + page.Entries.Sum(entry => (long)entry.Data.Length);
using var whole = await host.GetAsync("/documents/doc", "application/octet-stream");
var document = (await whole.Content.ReadAsByteArrayAsync()).Length;
var length = await documents.ReadAsync("doc", doc => doc.GetText("text").Length);
Console.WriteLine($"{edits} edits, {versions} versions; the text has {length} letters");
Console.WriteLine($"the document                      {document,10:n0} bytes");
Console.WriteLine($"all versions                      {stored,10:n0} bytes, {stored / versions:n0} each, {(double)stored / document:n2} of the document in all");
creating.Sort();
Console.WriteLine($"make a version                    {creating[creating.Count / 2],10:n1} ms (median), {creating[^1]:n1} ms (slowest)");
await PrintAsync("list them", "/documents/doc/versions");
await PrintAsync("read the first", $"/documents/doc/versions/{ids[0]}");
await PrintAsync("read the middle one", $"/documents/doc/versions/{ids[versions / 2]}");
await PrintAsync("read the last", $"/documents/doc/versions/{ids[^1]}");
await PrintAsync("changes between the last two", $"/documents/doc/versions/{ids[^1]}/changes?from={ids[^2]}");
await PrintAsync("changes from the first to the last", $"/documents/doc/versions/{ids[^1]}/changes?from={ids[0]}");
var (_, restoring) = await TimeAsync(() => host.SendAsync(HttpMethod.Post, $"/documents/doc/versions/{ids[versions / 2]}/restore"));
Console.WriteLine($"{"restore the middle one",-34}{restoring,10:n1} ms");
Directory.Delete(folder, recursive: true);

async Task PrintAsync(string what, string path)
{
    // Once for what the first call compiles.
    await TimeAsync(() => host.GetAsync(path));
    var times = new List<double>();
    for (var i = 0; i < 5; i++)
        times.Add((await TimeAsync(() => host.GetAsync(path))).Milliseconds);
    times.Sort();
    Console.WriteLine($"{what,-34}{times[2],10:n1} ms");
}

async Task<(HttpResponseMessage Answer, double Milliseconds)> TimeAsync(Func<Task<HttpResponseMessage>> call)
{
    var started = Stopwatch.GetTimestamp();
    var answer = await call();
    answer.EnsureSuccessStatusCode();
    return (answer, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
}
