using System.Diagnostics;
using System.Globalization;

namespace Collab.Crdt.Bench;

/// <summary>
/// How the time of an insertion at a random place, and of the difference to a client that lacks the last ten updates, grows
/// with the document. The documents are loaded from made-up updates whose items cannot be merged (<see cref="ScatteredText"/>).
/// </summary>
internal static class Scaling
{
    private const int Insertions = 20_000;

    private static readonly int[] DefaultSizes = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];

    public static void Run(string[] sizes)
    {
        // Once for the compiler.
        Measured(1_000);
        Console.WriteLine("| items | load ms | bytes/item | first insertion ms | random insertion µs | diff of ten µs | diff bytes | half deleted: diff µs | bytes |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|");
        foreach (var size in sizes.Length == 0 ? DefaultSizes : [.. sizes.Select(size => int.Parse(size, CultureInfo.InvariantCulture))])
            Console.WriteLine(Measured(size));
    }

    // A row of the table.
    private static string Measured(int size)
    {
        var updates = ScatteredText.Updates(size, halfDeleted: false);
        // Each round inserts little beside what is there, so that the size stays what it is.
        var perRound = Math.Clamp(size / 10, 100, Insertions);
        var rounds = Math.Max(3, Insertions / perRound);
        var random = new Mulberry(7);
        var (firsts, insertions, loads) = (new List<double>(), new List<double>(), new List<double>());
        Doc doc = null!;
        long bytes = 0;
        for (var round = 0; round < rounds; round++)
        {
            doc = null!;
            var before = round == 0 ? GC.GetTotalMemory(forceFullCollection: true) : 0;
            var started = Stopwatch.GetTimestamp();
            doc = Load(updates);
            loads.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            if (round == 0)
                bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
            using var subscription = doc.ObserveUpdatesV1(static _ => { });
            firsts.Add(Insert(doc, random, 1));
            insertions.Add(1000 * Insert(doc, random, perRound) / perRound);
        }
        var (difference, differenceBytes) = DifferenceOfTen(doc, random);
        doc = null!;
        var (differenceDeleted, differenceDeletedBytes) = DifferenceOfTen(Load(ScatteredText.Updates(size, halfDeleted: true)), random);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {size:N0} | {Median(loads):0.00} | {bytes / (double)size:0} | {Median(firsts):0.000} | {Median(insertions):0.00} | {difference:0.0} | {differenceBytes} | {differenceDeleted:0.0} | {differenceDeletedBytes:N0} |");
    }

    private static Doc Load(List<byte[]> updates)
    {
        var doc = new Doc(new DocOptions { ClientId = 2 });
        foreach (var update in updates)
            doc.ApplyV1(update);
        return doc;
    }

    private static double Insert(Doc doc, Mulberry random, int count)
    {
        var text = TextRoot.Of(doc);
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
            text.Insert(random.Below(text.Length + 1), "y");
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    private static (double Microseconds, int Bytes) DifferenceOfTen(Doc doc, Mulberry random)
    {
        var known = doc.StateVectorV1();
        Insert(doc, random, 10);
        var times = Measure.Run(() => doc.StateDiffV1(known), out var difference);
        return (times.Median * 1000, difference.Length);
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
