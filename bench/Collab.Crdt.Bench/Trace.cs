using System.Buffers.Binary;
using System.IO.Compression;

namespace Collab.Crdt.Bench;

/// <summary>
/// The updates of two people who write one text at once, one update for each key press. Read from the folder named by
/// <c>COLLAB_TRACES</c> (<c>friendsforever.updates.v1.gz</c>), else made up from a seed in the same shape.
/// </summary>
internal sealed record Trace(string Name, IReadOnlyList<ReadOnlyMemory<byte>> Updates)
{
    private const string FileName = "friendsforever.updates.v1.gz";

    private const int SyntheticUpdates = 26_078;

    public static Trace Load()
    {
        var folder = Environment.GetEnvironmentVariable("COLLAB_TRACES");
        return folder is { Length: > 0 } && Path.Combine(folder, FileName) is var file && File.Exists(file)
            ? new Trace("friendsforever", Read(file))
            : new Trace("synthetic", Synthesize(new Random(1)));
    }

    // The file: a count, then for each update its length and its bytes; numbers are 32 bits, little endian.
    private static List<ReadOnlyMemory<byte>> Read(string file)
    {
        using var unpacked = new MemoryStream();
        using (var packed = new GZipStream(File.OpenRead(file), CompressionMode.Decompress))
            packed.CopyTo(unpacked);
        ReadOnlyMemory<byte> rest = unpacked.ToArray();
        var count = BinaryPrimitives.ReadInt32LittleEndian(rest.Span);
        rest = rest[4..];
        var updates = new List<ReadOnlyMemory<byte>>(count);
        for (var i = 0; i < count; i++)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(rest.Span);
            updates.Add(rest.Slice(4, length));
            rest = rest[(4 + length)..];
        }
        return updates;
    }

    // Each writer types on at its own last letter, goes elsewhere now and then, and deletes one letter in eight.
    private static List<ReadOnlyMemory<byte>> Synthesize(Random random)
    {
        var updates = new List<ReadOnlyMemory<byte>> { new byte[] { 1, 1, 1, 0, 4, 1, 4, (byte)'t', (byte)'e', (byte)'x', (byte)'t', 1, (byte)'a', 0 } };
        Span<uint> clocks = [0, 1, 0];
        Span<(uint Client, uint Clock)> cursors = [(1, 0), (1, 0), (1, 0)];
        while (updates.Count < SyntheticUpdates)
        {
            var writer = (uint)random.Next(1, 3);
            var update = new List<byte>();
            if (random.Next(8) == 0)
            {
                var target = (uint)random.Next(1, 3);
                if (clocks[(int)target] == 0)
                    continue;
                update.AddRange([0, 1, (byte)target, 1]);
                Add(update, (uint)random.Next((int)clocks[(int)target]));
                update.Add(1);
            }
            else
            {
                if (random.Next(12) == 0)
                    cursors[(int)writer] = (1, (uint)random.Next((int)clocks[1]));
                update.AddRange([1, 1, (byte)writer]);
                Add(update, clocks[(int)writer]);
                update.AddRange([0x84, (byte)cursors[(int)writer].Client]);
                Add(update, cursors[(int)writer].Clock);
                update.AddRange([1, (byte)random.Next('a', 'z' + 1), 0]);
                cursors[(int)writer] = (writer, clocks[(int)writer]++);
            }
            updates.Add(update.ToArray());
        }
        return updates;
    }

    private static void Add(List<byte> update, uint value)
    {
        for (; value >= 0x80; value >>= 7)
            update.Add((byte)(value | 0x80));
        update.Add((byte)value);
    }
}
