using BenchmarkDotNet.Attributes;

namespace Collab.Crdt.Bench;

/// <summary>The algebra on a long concurrent trace, and on a single key press.</summary>
[MemoryDiagnoser]
public class AlgebraBenchmarks
{
    private IReadOnlyList<ReadOnlyMemory<byte>> _updates = [];
    private ReadOnlyMemory<byte>[] _batch = [];
    private byte[] _merged = [], _half = [], _keyPress = [];

    [GlobalSetup]
    public void Setup()
    {
        _updates = ConcurrentTrace.Default.Updates;
        _batch = [.. _updates.Take(100)];
        _merged = Updates.MergeV1(_updates);
        _half = Updates.StateVectorV1(Updates.MergeV1([.. _updates.Take(_updates.Count / 2)]));
        _keyPress = _updates[^1].ToArray();
    }

    [Benchmark]
    public byte[] MergeAll() => Updates.MergeV1(_updates);

    [Benchmark]
    public byte[] CompactAll() => Updates.CompactV1(_updates);

    [Benchmark]
    public byte[] MergeHundred() => Updates.MergeV1(_batch);

    [Benchmark]
    public byte[] DiffToHalf() => Updates.DiffV1(_merged, _half);

    [Benchmark]
    public byte[] StateVectorOfAll() => Updates.StateVectorV1(_merged);

    [Benchmark]
    public UpdateFault? ValidateAll() => Updates.ValidateV1(_merged, UpdateLimits.Default);

    [Benchmark]
    public UpdateFault? ValidateKeyPress() => Updates.ValidateV1(_keyPress, UpdateLimits.Default);
}
