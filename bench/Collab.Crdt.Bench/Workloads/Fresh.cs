using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace Collab.Crdt.Bench;

/// <summary>What needs a process that has done nothing else, as <c>node/fresh.mjs</c> has it for the others.</summary>
internal static class Fresh
{
    /// <summary>
    /// <c>cold</c> prints the milliseconds from before the engine's first use until the text is there; the start of the runtime is
    /// not counted, as the import is not for the others. <c>heap</c> prints the bytes that the loaded document keeps alive, and
    /// <c>used-heap</c> those after its text was read and edited too.
    /// </summary>
    public static void Print(string task, string file)
    {
        var (value, length) = task == "cold" ? Cold(file) : Heap(file, used: task == "used-heap");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{{\"value\":{value},\"length\":{length}}}"));
    }

    private static (double Milliseconds, int Length) Cold(string file)
    {
        var update = File.ReadAllBytes(file);
        var started = Stopwatch.GetTimestamp();
        var text = TextRoot.Of(Open(update)).ToString();
        return (Stopwatch.GetElapsedTime(started).TotalMilliseconds, text.Length);
    }

    private static (double Bytes, int Length) Heap(string file, bool used)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var doc = OpenFile(file);
        if (used)
            Use(doc);
        var bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
        return (bytes, TextRoot.Of(doc).Length);
    }

    // Not inlined, so that no frame keeps what they have made.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Doc OpenFile(string file) => Open(File.ReadAllBytes(file));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Use(Doc doc)
    {
        var text = TextRoot.Of(doc);
        text.Insert(text.ToString().Length / 2, "x");
        text.Delete(text.Length / 2, 1);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Doc Open(byte[] update)
    {
        var doc = new Doc();
        doc.ApplyV1(update);
        return doc;
    }
}
