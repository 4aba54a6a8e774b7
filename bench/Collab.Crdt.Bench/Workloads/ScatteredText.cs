namespace Collab.Crdt.Bench;

/// <summary>
/// A text whose letters were each inserted at a random place, as the updates of its one author, without making the document:
/// every letter stands right of one chosen at random among those before it. Next to none of the items can be merged.
/// </summary>
internal static class ScatteredText
{
    private const int PerUpdate = 1_000_000;

    public static List<byte[]> Updates(int size, bool halfDeleted)
    {
        var random = new Mulberry(5);
        // The letter right of each one; 0 is none, since the first letter stays the leftmost.
        var next = new int[size];
        var updates = new List<byte[]>();
        for (var start = 0; start < size; start += PerUpdate)
        {
            var count = Math.Min(PerUpdate, size - start);
            using var update = new MemoryStream(16 * count);
            Write(update, 1, (uint)count, 1, (uint)start);
            for (var clock = start; clock < start + count; clock++)
            {
                if (clock == 0)
                {
                    // A string in the root "text".
                    update.Write([4, 1, 4, (byte)'t', (byte)'e', (byte)'x', (byte)'t', 1, (byte)'x']);
                    continue;
                }
                var left = random.Below(clock);
                var right = next[left];
                (next[left], next[clock]) = (clock, right);
                update.WriteByte((byte)(right == 0 ? 0x84 : 0xC4));
                Write(update, 1, (uint)left);
                if (right != 0)
                    Write(update, 1, (uint)right);
                update.Write([1, (byte)'x']);
            }
            WriteDeletes(update, start, halfDeleted ? count / 2 : 0);
            updates.Add(update.ToArray());
        }
        return updates;
    }

    // Every other letter.
    private static void WriteDeletes(MemoryStream update, int start, int count)
    {
        if (count == 0)
        {
            Write(update, 0);
            return;
        }
        Write(update, 1, 1, (uint)count);
        for (var i = 0; i < count; i++)
            Write(update, (uint)(start + (2 * i) + 1), 1);
    }

    private static void Write(MemoryStream update, params ReadOnlySpan<uint> values)
    {
        foreach (var value in values)
        {
            var rest = value;
            for (; rest >= 0x80; rest >>= 7)
                update.WriteByte((byte)(rest | 0x80));
            update.WriteByte((byte)rest);
        }
    }
}
