// Prints durable appends a second of 200-byte entries: one transaction each, then group commit with 1 to 1,024 concurrent writers.
// Arguments: seconds for each row (default 5), the data folder (default: a new one under the system's temporary folder).
// Or: postgres, a connection string, seconds for each row.
using System.Diagnostics;
using System.Globalization;
using Collab.Server.Rooms;
using Collab.Storage;
using Collab.Storage.Bench;
using Collab.Storage.GroupCommit;
using Collab.Storage.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is ["postgres", var connectionString, ..])
{
    await PostgresRows.PrintAsync(connectionString, TimeSpan.FromSeconds(args.Length > 2 ? double.Parse(args[2], CultureInfo.InvariantCulture) : 5));
    return;
}

var duration = TimeSpan.FromSeconds(args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 5);
var root = args.Length > 1 ? args[1] : Directory.CreateTempSubdirectory("collab-bench-").FullName;
var entry = new byte[200];
new Random(1).NextBytes(entry);

Console.WriteLine($"{"",-34}{"appends/s",12}{"ratio",8}{"p50 ms",9}{"p99 ms",9}{"max ms",9}{"CPU us",8}{"WAL MB",8}{"file MB",9}");
var alone = OneTransactionEach();
foreach (var (writers, rooms) in ((int, int)[])[(1, 1), (16, 1), (128, 1), (1024, 1), (16, 16), (128, 128), (1024, 1024)])
    await GroupCommitAsync(writers, rooms, readers: 0);
await GroupCommitAsync(128, 128, readers: 4);

// The same statements on the same connection, without the writer's thread and queue.
double OneTransactionEach()
{
    var options = Folder("one");
    using var store = new SqliteBatchStore(
        new SqliteDatabase(options), TimeProvider.System, new StoreHealth(NullLogger.Instance, "writes", new StorageMetrics()));
    var measure = new Measure(options.DataDirectory, duration);
    var latencies = new List<double>();
    while (measure.IsRunning)
    {
        var started = Stopwatch.GetTimestamp();
        store.Commit([new AppendWrite(new RoomKey(RoomKind.Document, "room-0"), [new NewLogEntry(entry)])]);
        latencies.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
    }

    return measure.Print("one transaction each", latencies, null);
}

async Task GroupCommitAsync(int writers, int rooms, int readers)
{
    var options = Folder($"group-{writers}-{rooms}-{readers}");
    await using var log = new SqliteRoomLog(Options.Create(options), TimeProvider.System, NullLogger<SqliteRoomLog>.Instance);
    var measure = new Measure(options.DataDirectory, duration);
    // Readers without a pause show how far they hold back the checkpoints, and so how large the write-ahead log becomes.
    var reading = Task.WhenAll(Enumerable.Range(0, readers).Select(reader => Task.Run(async () =>
    {
        while (measure.IsRunning)
        {
            await log.ReadAsync(new RoomKey(RoomKind.Document, $"room-{reader}"), 0, 1000, 1 << 20, default);
            // A read mostly completes at once: without this the loop would keep its pool thread from those who are told of commits.
            await Task.Yield();
        }
    })));
    var latencies = await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(async () =>
    {
        var mine = new List<double>();
        var room = new RoomKey(RoomKind.Document, $"room-{writer % rooms}");
        while (measure.IsRunning)
        {
            var started = Stopwatch.GetTimestamp();
            await log.AppendAsync(room, [new NewLogEntry(entry)], default);
            mine.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        return mine;
    })));
    await reading;
    var what = $"{writers} writers, {rooms} room{(rooms == 1 ? "" : "s")}{(readers == 0 ? "" : $", {readers} readers")}";
    measure.Print(what, [.. latencies.SelectMany(mine => mine)], alone);
}

SqliteRoomLogOptions Folder(string name) => new() { DataDirectory = Path.Combine(root, name) };
