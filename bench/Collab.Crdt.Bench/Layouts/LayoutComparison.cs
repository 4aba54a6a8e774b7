using System.Diagnostics;
using System.Globalization;

namespace Collab.Crdt.Bench;

/// <summary>
/// The two layouts that a document's blocks could have in C#, measured on the same list: an object for each block with its
/// neighbours as references (as yjs and ycs have it), and structs in pages with handles (as this engine has it). The list is
/// made by inserting at random places, so that neighbours are far apart in memory, as they are in a document.
/// <c>docs/engine.md</c> says what followed from it.
/// </summary>
internal static class LayoutComparison
{
    private const int PageBits = 7;

    public static void Run()
    {
        Console.WriteLine("| blocks | layout | bytes a block | build ms | walk ms | full collection ms |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (var blocks in new[] { 11_000, 1_000_000 })
        {
            Measure(blocks, "objects", BuildObjects, static list => WalkObjects((ObjectBlock)list));
            Measure(blocks, "structs in pages", BuildPages, static list => WalkPages((StructBlock[][])list));
        }
    }

    private static void Measure(int blocks, string layout, Func<int[], object> build, Func<object, long> walk)
    {
        // Where each block goes: behind the one of this number.
        var random = new Random(1);
        var places = new int[blocks];
        for (var i = 1; i < blocks; i++)
            places[i] = random.Next(i);
        for (var i = 0; i < 3; i++)
            walk(build(places));

        _text = [];
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var started = Stopwatch.GetTimestamp();
        var list = build(places);
        var buildTime = Stopwatch.GetElapsedTime(started);
        var bytes = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)blocks;
        started = Stopwatch.GetTimestamp();
        walk(list);
        var walkTime = Stopwatch.GetElapsedTime(started);
        started = Stopwatch.GetTimestamp();
        GC.Collect(2, GCCollectionMode.Forced, blocking: true);
        var collectTime = Stopwatch.GetElapsedTime(started);
        GC.KeepAlive(list);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {blocks:N0} | {layout} | {bytes:0} | {buildTime.TotalMilliseconds:0.0} | {walkTime.TotalMilliseconds:0.00} | {collectTime.TotalMilliseconds:0.0} |"));
    }

    private static ObjectBlock BuildObjects(int[] places)
    {
        var blocks = new ObjectBlock[places.Length];
        for (var i = 0; i < places.Length; i++)
        {
            var block = blocks[i] = new ObjectBlock { Clock = (uint)i, Length = 1, Content = new ObjectContent { Text = new string('a', 7) } };
            if (i == 0)
                continue;
            var left = blocks[places[i]];
            block.Left = left;
            block.Right = left.Right;
            if (left.Right is { } right)
                right.Left = block;
            left.Right = block;
        }
        return blocks[0];
    }

    private static long WalkObjects(ObjectBlock first)
    {
        long length = 0;
        for (var block = first; block is not null; block = block.Right)
            length += block.Length;
        return length;
    }

    private static StructBlock[][] BuildPages(int[] places)
    {
        var pages = new StructBlock[(places.Length >> PageBits) + 1][];
        var text = new byte[places.Length * 7];
        for (var i = 0; i < places.Length; i++)
        {
            pages[i >> PageBits] ??= new StructBlock[1 << PageBits];
            ref var block = ref At(pages, i);
            block.Clock = (uint)i;
            block.Length = 1;
            block.Content = i * 7;
            "letters"u8.CopyTo(text.AsSpan(block.Content));
            if (i == 0)
                continue;
            ref var left = ref At(pages, places[i]);
            block.Left = places[i];
            block.Right = left.Right;
            if (left.Right != 0)
                At(pages, left.Right).Left = i;
            left.Right = i;
        }
        _text = text;
        return pages;
    }

    private static long WalkPages(StructBlock[][] pages)
    {
        long length = At(pages, 0).Length;
        for (var at = At(pages, 0).Right; at != 0; at = At(pages, at).Right)
            length += At(pages, at).Length;
        return length;
    }

    private static ref StructBlock At(StructBlock[][] pages, int handle) => ref pages[handle >> PageBits][handle & ((1 << PageBits) - 1)];

    // Counted with the pages: the text of all blocks.
    private static byte[] _text = [];

#pragma warning disable CS0649 // Fields that only take their room.
    private sealed class ObjectBlock
    {
        public ulong Client, OriginClient, RightOriginClient;
        public uint Clock, Length, OriginClock, RightOriginClock;
        public ObjectBlock? Left, Right;
        public object? Parent, Key, Redone;
        public ObjectContent? Content;
        public byte Flags;
    }

    private sealed class ObjectContent
    {
        public string Text = "";
    }

    private struct StructBlock
    {
        public uint Clock, Length, OriginClock, RightOriginClock;
        public int Client, OriginClient, RightOriginClient, Left, Right, Parent, Content, Leaf, Key;
        public byte Kind, Flags;
    }
#pragma warning restore CS0649
}
