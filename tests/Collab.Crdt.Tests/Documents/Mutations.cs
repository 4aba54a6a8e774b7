namespace Collab.Crdt.Tests.Documents;

/// <summary>Damages bytes at random, as a broken network, a broken disk or an attacker would.</summary>
internal static class Mutations
{
    // Numbers in lib0's encoding that are on the edge of something: zero, large, too large, and endless.
    private static readonly byte[][] Numbers =
    [
        [0], [1], [0x7F], [0x80, 0x00], [0xFF, 0x7F], [0xFF, 0xFF, 0xFF, 0xFF, 0x07], [0x80, 0x80, 0x80, 0x80, 0x08],
        [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
    ];

    /// <summary>A damaged copy of <paramref name="bytes"/>, perhaps with a part of <paramref name="others"/> in it.</summary>
    public static byte[] Damage(Random random, ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> others)
    {
        var damaged = bytes.ToArray().ToList();
        for (var times = random.Next(1, 5); times > 0; times--)
        {
            var at = random.Next(damaged.Count + 1);
            var length = Math.Min(damaged.Count - at, random.Next(1, 9));
            switch (random.Next(9))
            {
                case 0 or 1 when length > 0:
                    damaged[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2 when length > 0:
                    damaged[at] = (byte)random.Next(256);
                    break;
                case 3 when length > 0:
                    damaged[at] += (byte)(random.Next(2) * 2 - 1);
                    break;
                case 4:
                    damaged.RemoveRange(at, length);
                    break;
                case 5:
                    damaged.InsertRange(at, Numbers[random.Next(Numbers.Length)]);
                    break;
                case 6 when length > 0:
                    damaged.RemoveRange(at, 1);
                    damaged.InsertRange(at, Numbers[random.Next(Numbers.Length)]);
                    break;
                case 7:
                    damaged.InsertRange(at, damaged.GetRange(at, length));
                    break;
                default:
                    var from = random.Next(others.Length + 1);
                    damaged.InsertRange(at, others[from..Math.Min(others.Length, from + random.Next(1, 17))].ToArray());
                    break;
            }
        }
        return [.. damaged];
    }
}
