using System.Diagnostics;
using Collab.Server.Rooms;
using Collab.Storage.GroupCommit;
using Collab.Storage.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Collab.Storage.Bench;

/// <summary>Durable appends a second of 200-byte entries to Postgres: one transaction each, and with group commit.</summary>
internal static class PostgresRows
{
    private static readonly byte[] Entry = new byte[200];

    public static async Task PrintAsync(string connectionString, TimeSpan duration)
    {
        new Random(1).NextBytes(Entry);
        var options = new PostgresRoomLogOptions { ConnectionString = connectionString };
        Console.WriteLine($"{"",-34}{"appends/s",12}{"ratio",8}{"p50 ms",9}{"p99 ms",9}");
        var alone = await OneTransactionEachAsync(options, duration);
        foreach (var (writers, rooms) in ((int, int)[])[(1, 1), (16, 1), (128, 1), (1024, 1), (16, 16), (128, 128), (1024, 1024)])
            await GroupCommitAsync(options, duration, writers, rooms, alone);
    }

    // The same statements on the same connection, without the writer's thread and queue.
    private static async Task<double> OneTransactionEachAsync(PostgresRoomLogOptions options, TimeSpan duration)
    {
        await using var database = new PostgresDatabase(options);
        using var store = new PostgresBatchStore(database, options.Patience, new StoreHealth(NullLogger.Instance, "writes", new StorageMetrics()));
        var clock = Stopwatch.StartNew();
        var latencies = new List<double>();
        while (clock.Elapsed < duration)
        {
            var started = Stopwatch.GetTimestamp();
            store.Commit([new AppendWrite(new RoomKey(RoomKind.Document, "bench-one"), [new NewLogEntry(Entry)])]);
            latencies.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        return Print("one transaction each", latencies, clock.Elapsed, null);
    }

    private static async Task GroupCommitAsync(PostgresRoomLogOptions options, TimeSpan duration, int writers, int rooms, double alone)
    {
        await using var log = new PostgresRoomLog(Options.Create(options), NullLogger<PostgresRoomLog>.Instance);
        await log.CheckAsync(default);
        var clock = Stopwatch.StartNew();
        var latencies = await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(async () =>
        {
            var mine = new List<double>();
            var room = new RoomKey(RoomKind.Document, $"bench-{writers}-{writer % rooms}");
            while (clock.Elapsed < duration)
            {
                var started = Stopwatch.GetTimestamp();
                await log.AppendAsync(room, [new NewLogEntry(Entry)], default);
                mine.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }

            return mine;
        })));
        Print($"{writers} writers, {rooms} room{(rooms == 1 ? "" : "s")}", [.. latencies.SelectMany(mine => mine)], clock.Elapsed, alone);
    }

    private static double Print(string what, List<double> latencies, TimeSpan elapsed, double? alone)
    {
        latencies.Sort();
        var rate = latencies.Count / elapsed.TotalSeconds;
        Console.WriteLine(
            $"{what,-34}{rate,12:N0}{rate / (alone ?? rate),8:0.0}{latencies[latencies.Count / 2],9:0.00}{latencies[latencies.Count * 99 / 100],9:0.00}");
        return rate;
    }
}
