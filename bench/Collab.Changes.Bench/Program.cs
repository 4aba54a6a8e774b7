// Prints how many rows a second come from a commit in Postgres to an EventSource reader of the host, and how late, beside what a bare reader of the
// replication stream gets in the same run. Starts Postgres (Debian's package) and the host by itself.
// Arguments: rows of the backlogs (default 400000), rows a second for the delays (default 1000), repetitions (default 3).
using System.Globalization;
using Collab.Changes.Bench;
using Collab.Testing.Servers;

const int Seconds = 6;
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
int Argument(int index, int otherwise) => args.Length > index ? int.Parse(args[index], CultureInfo.InvariantCulture) : otherwise;
var (rows, rate, times) = (Argument(0, 400_000), Argument(1, 1_000), Argument(2, 3));

await using var server = await PostgresServer.StartAsync("wal_level=logical", "max_wal_size=4GB");
var table = await BenchTable.CreateAsync(server);
await using var bare = new BareReader(table, readsValues: false);
await using var values = new BareReader(table, readsValues: true);
await using var collab = new CollabReader(table);
IChangesReader[] readers = [bare, values, collab];
foreach (var reader in readers)
    await reader.PrepareAsync();

Console.WriteLine($"{"",-40}{"rows/s",10}{"share",8}");
await BacklogAsync("one-row transactions", () => table.WriteSmallAsync(rows));
await BacklogAsync("one transaction", () => table.WriteLargeAsync(rows));
Console.WriteLine($"{"",-40}{"p50 ms",10}{"p99 ms",10}");
for (var i = 0; i < readers.Length; i++)
{
    var (reader, written) = (readers[i], rate * Seconds);
    var all = await reader.MeasureDelaysAsync(i * written, () => table.WriteSteadilyAsync(rate, Seconds), written);
    // In the first second a reader still begins.
    var delays = all.Skip(rate).Order().ToList();
    Console.WriteLine($"{reader.Name + $", {rate} rows/s",-40}{delays[delays.Count / 2],10:N1}{delays[delays.Count * 99 / 100],10:N1}");
}

// What is there already when a reader begins: from then to the last row.
async Task BacklogAsync(string what, Func<Task> write)
{
    var rates = readers.ToDictionary(reader => reader, _ => new List<double>());
    for (var i = 0; i < times; i++)
    {
        await write();
        foreach (var reader in readers)
            rates[reader].Add(rows / (await reader.ReadBacklogAsync(rows)).TotalSeconds);
    }

    foreach (var reader in readers)
        Console.WriteLine($"{what + ", " + reader.Name,-40}{Median(rates[reader]),10:N0}{Median(rates[reader]) / Median(rates[bare]),8:N2}");
}

static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
