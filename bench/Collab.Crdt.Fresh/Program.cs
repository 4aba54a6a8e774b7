// A saved document in a process that has done nothing else, as Collab.Crdt.Bench/node/fresh.mjs has it for the other engines:
// Collab.Crdt.Fresh (cold|heap|used-heap) FILE. cold prints the milliseconds from before the engine's first use until the text is
// there; the start of the runtime is not counted, as the import is not for the others. heap prints the bytes that the loaded
// document keeps alive, and used-heap those after its text was read and edited too.
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Collab.Crdt;

var (value, length) = args is ["cold", var saved] ? Cold(saved) : Heap(args[1], used: args[0] == "used-heap");
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{{\"value\":{value},\"length\":{length}}}"));

static (double Milliseconds, int Length) Cold(string file)
{
    var update = File.ReadAllBytes(file);
    var started = Stopwatch.GetTimestamp();
    var text = Open(update).GetText("text").ToString();
    return (Stopwatch.GetElapsedTime(started).TotalMilliseconds, text.Length);
}

static (double Bytes, int Length) Heap(string file, bool used)
{
    var before = GC.GetTotalMemory(forceFullCollection: true);
    var doc = OpenFile(file);
    if (used)
        Use(doc);
    var bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
    return (bytes, doc.GetText("text").Length);
}

// Not inlined, so that no frame keeps what they have made.
[MethodImpl(MethodImplOptions.NoInlining)]
static Doc OpenFile(string file) => Open(File.ReadAllBytes(file));

[MethodImpl(MethodImplOptions.NoInlining)]
static Doc Open(byte[] update)
{
    var doc = new Doc();
    doc.ApplyV1(update);
    return doc;
}

[MethodImpl(MethodImplOptions.NoInlining)]
static void Use(Doc doc)
{
    var text = doc.GetText("text");
    text.Insert(text.ToString().Length / 2, "x");
    text.Delete(text.Length / 2, 1);
}
