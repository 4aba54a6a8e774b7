using System.Buffers.Binary;
using System.IO.Compression;
using Collab.Crdt;

namespace Collab.Server.Tests.Documents;

/// <summary>The updates of people who write one text at once, one for each key press.</summary>
internal static class Traces
{
    /// <summary>Two recorded writers, from the folder named by <c>COLLAB_TRACES</c>; null when there is none.</summary>
    public static List<ReadOnlyMemory<byte>>? Recorded()
    {
        var file = Path.Combine(Environment.GetEnvironmentVariable("COLLAB_TRACES") ?? "", "friendsforever.updates.v1.gz");
        return File.Exists(file) ? Read(file) : null;
    }

    /// <summary>Writers made up from a seed: each types words somewhere, deletes now and then, and hears the others sometimes.</summary>
    public static List<ReadOnlyMemory<byte>> MadeUp(int seed, int steps)
    {
        var random = new Random(seed);
        var updates = new List<ReadOnlyMemory<byte>>();
        Doc[] writers = [.. Enumerable.Range(1, 3).Select(id => new Doc(new DocOptions { ClientId = (ulong)id }))];
        foreach (var writer in writers)
            writer.ObserveUpdatesV1(happened => { if (happened.Origin is null) updates.Add(happened.Update); });

        for (var step = 0; step < steps; step++)
        {
            var doc = writers[random.Next(writers.Length)];
            if (random.Next(4) == 0)
                doc.ApplyV1(writers[random.Next(writers.Length)].StateDiffV1(doc.StateVectorV1()), "another");
            var text = doc.GetText("t");
            var at = random.Next(text.Length + 1);
            if (random.Next(3) == 0)
            {
                text.Delete(at, Math.Min(random.Next(40), text.Length - at));
                continue;
            }

            for (var typed = random.Next(1, 30); typed > 0; typed--)
                text.Insert(at++, ((char)random.Next('a', 'z' + 1)).ToString());
        }

        return updates;
    }

    // The file: a count, then for each update its length and its bytes; numbers are 32 bits, little endian.
    private static List<ReadOnlyMemory<byte>> Read(string file)
    {
        using var unpacked = new MemoryStream();
        using (var packed = new GZipStream(File.OpenRead(file), CompressionMode.Decompress))
            packed.CopyTo(unpacked);
        ReadOnlyMemory<byte> rest = unpacked.ToArray();
        var updates = new List<ReadOnlyMemory<byte>>();
        for (rest = rest[4..]; rest.Length > 0;)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(rest.Span);
            updates.Add(rest.Slice(4, length));
            rest = rest[(4 + length)..];
        }

        return updates;
    }
}
