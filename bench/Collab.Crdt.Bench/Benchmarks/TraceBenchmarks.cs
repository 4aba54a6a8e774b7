using BenchmarkDotNet.Attributes;

namespace Collab.Crdt.Bench;

/// <summary>B4: a long session of one author, edited with and without somebody who listens, loaded and saved.</summary>
[MemoryDiagnoser]
public class TraceBenchmarks
{
    private Edit<string>[] _edits = [];
    private byte[] _state = [], _stateV2 = [];
    private Doc _doc = new();

    [GlobalSetup]
    public void Setup()
    {
        _edits = SequentialTrace.Read(TraceFolder.Instance.Sequential[0]);
        _doc = Apply();
        (_state, _stateV2) = (_doc.StateDiffV1(), _doc.StateDiffV2());
    }

    [Benchmark]
    public Doc Apply()
    {
        var doc = new Doc();
        TextRoot.Instance.Replay(doc, _edits);
        return doc;
    }

    [Benchmark]
    public long ApplyWithEventsV1()
    {
        var (doc, bytes) = (new Doc(), 0L);
        doc.ObserveUpdatesV1(update => bytes += update.Update.Length);
        TextRoot.Instance.Replay(doc, _edits);
        return bytes;
    }

    [Benchmark]
    public long ApplyWithEventsV2()
    {
        var (doc, bytes) = (new Doc(), 0L);
        doc.ObserveUpdatesV2(update => bytes += update.Update.Length);
        TextRoot.Instance.Replay(doc, _edits);
        return bytes;
    }

    [Benchmark]
    public Doc LoadV1()
    {
        var doc = new Doc();
        doc.ApplyV1(_state);
        return doc;
    }

    [Benchmark]
    public Doc LoadV2()
    {
        var doc = new Doc();
        doc.ApplyV2(_stateV2);
        return doc;
    }

    [Benchmark]
    public byte[] EncodeV1() => _doc.StateDiffV1();

    [Benchmark]
    public byte[] EncodeV2() => _doc.StateDiffV2();
}
