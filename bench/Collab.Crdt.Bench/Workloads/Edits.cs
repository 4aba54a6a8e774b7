namespace Collab.Crdt.Bench;

/// <summary>Takes some units away at a position and inserts others there; one of the two may be nothing.</summary>
internal readonly record struct Edit<T>(int Position, int Removed, T Inserted);

/// <summary>
/// What the workloads do to texts and arrays, as lists of edits made from a seed. <c>node/edits.mjs</c> makes the same lists:
/// every draw from the generator comes in the same order there.
/// </summary>
internal static class Edits
{
    public const int Count = 6000;

    /// <summary>The client ids of those who all change one thing at once.</summary>
    public static ulong[] Crowd()
    {
        var random = new Mulberry(3);
        return Repeat((int)(20 * Math.Sqrt(Count)), _ => 1 + (ulong)random.Below(int.MaxValue));
    }

    public static string Letters(Mulberry random, int length) => new(Repeat(length, _ => (char)('a' + random.Below(26))));

    public static Edit<string>[] AppendLetters(Mulberry random) => Repeat(Count, i => Insert(i, Letters(random, 1)));

    public static Edit<string>[] InsertString(Mulberry random) => [Insert(0, Letters(random, Count))];

    public static Edit<string>[] PrependLetters(Mulberry random) => Repeat(Count, _ => Insert(0, Letters(random, 1)));

    public static Edit<string>[] InsertLetters(Mulberry random, int length) =>
        Repeat(Count, i => Insert(random.Below(length + i + 1), Letters(random, 1)));

    public static Edit<string>[] InsertWords(Mulberry random, int length) => Repeat(Count, _ => InsertWord(random, ref length));

    public static Edit<string>[] InsertThenDelete(Mulberry random) => [Insert(0, Letters(random, Count)), new(0, Count, "")];

    public static Edit<string>[] InsertAndDelete(Mulberry random, int length) => Repeat(Count, _ =>
    {
        if (length == 0 || random.Below(2) == 0)
            return InsertWord(random, ref length);
        var position = random.Below(length);
        var removed = Math.Min(length - position, 1 + random.Below(9));
        length -= removed;
        return new Edit<string>(position, removed, "");
    });

    public static Edit<Any[]>[] AppendNumbers(Mulberry random) => Repeat(Count, i => Insert<Any[]>(i, [Number(random)]));

    public static Edit<Any[]>[] InsertNumberArray(Mulberry random) => [Insert<Any[]>(0, Repeat(Count, _ => Number(random)))];

    public static Edit<Any[]>[] PrependNumbers(Mulberry random) => Repeat(Count, _ => Insert<Any[]>(0, [Number(random)]));

    public static Edit<Any[]>[] InsertNumbers(Mulberry random) =>
        Repeat(Count, i => Insert<Any[]>(random.Below(i + 1), [Number(random)]));

    private static Edit<T> Insert<T>(int position, T inserted) => new(position, 0, inserted);

    private static Edit<string> InsertWord(Mulberry random, ref int length)
    {
        var edit = Insert(random.Below(length + 1), Letters(random, 3 + random.Below(7)));
        length += edit.Inserted.Length;
        return edit;
    }

    private static Any Number(Mulberry random) => random.Below(1L << 31);

    private static T[] Repeat<T>(int count, Func<int, T> make)
    {
        var made = new T[count];
        for (var i = 0; i < count; i++)
            made[i] = make(i);
        return made;
    }
}
