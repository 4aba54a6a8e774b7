namespace Collab.Host.Tests.Security.Fuzzing;

/// <summary>One broken input: what is wrong with it, and its bytes.</summary>
/// <param name="Kind">What is wrong, for the count.</param>
/// <param name="Bytes">What is sent.</param>
internal readonly record struct Broken(string Kind, byte[] Bytes);

/// <summary>Picks from lists at random.</summary>
internal static class RandomPicks
{
    public static T Pick<T>(this Random random, IReadOnlyList<T> list) => list[random.Next(list.Count)];

    /// <summary>True once in so many times.</summary>
    public static bool OneIn(this Random random, int times) => random.Next(times) == 0;

    public static byte[] NextBytes(this Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
