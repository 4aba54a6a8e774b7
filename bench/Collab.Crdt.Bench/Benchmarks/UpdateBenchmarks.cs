using BenchmarkDotNet.Attributes;

namespace Collab.Crdt.Bench;

/// <summary>Small updates: a long concurrent trace one by one, and single key presses in a document of that size.</summary>
[MemoryDiagnoser]
public class UpdateBenchmarks
{
    private const int KeyPresses = 1000;

    private IReadOnlyList<ReadOnlyMemory<byte>> _updates = [];
    private Doc _doc = new();
    private byte[] _known = [];

    [GlobalSetup]
    public void Setup()
    {
        _updates = ConcurrentTrace.Default.Updates;
        _doc = ApplyAll();
        _doc.ObserveUpdatesV1(static _ => { });
        _known = _doc.StateVectorV1();
        Type();
    }

    [Benchmark]
    public Doc ApplyAll()
    {
        var doc = new Doc();
        foreach (var update in _updates)
            doc.ApplyV1(update.Span);
        return doc;
    }

    /// <summary>Types a letter and deletes it again, with somebody who listens.</summary>
    [Benchmark(OperationsPerInvoke = 2 * KeyPresses)]
    public void Type()
    {
        var text = TextRoot.Of(_doc);
        var middle = text.Length / 2;
        for (var i = 0; i < KeyPresses; i++)
            text.Insert(middle + i, "a");
        for (var i = KeyPresses; i > 0; i--)
            text.Delete(middle + i - 1, 1);
    }

    /// <summary>What somebody lacks who was away while little was typed.</summary>
    [Benchmark]
    public byte[] Difference() => _doc.StateDiffV1(_known);
}
