using Collab.Crdt;
using Collab.Testing;
using Microsoft.AspNetCore.Http.Connections;

namespace Collab.Host.Tests.Scaleout;

/// <summary>Types into a document; what was not acknowledged is pushed again.</summary>
internal sealed class DocumentWriter(Cluster cluster, Random random, HttpTransportType transport, string document, ulong clientId)
    : Participant(cluster, random, transport)
{
    private readonly Random _random = random;
    private readonly Typist _typist = new(clientId);
    private byte[]? _pending;
    private long _acknowledged;

    public string Document => document;

    public ulong ClientId => clientId;

    /// <summary>How many UTF-16 code units are acknowledged.</summary>
    public uint Acknowledged => (uint)Interlocked.Read(ref _acknowledged);

    protected override Task BeginAsync(TestClient client) => client.JoinAsync(document);

    protected override async Task StepAsync(TestClient client, CancellationToken stop)
    {
        _pending ??= _typist.Type("word ");
        await client.PushAsync(document, _pending).WaitAsync(Patience, stop);
        _pending = null;
        Interlocked.Exchange(ref _acknowledged, _typist.Clock);
        await Task.WhenAny(Task.Delay(_random.Next(20, 100), CancellationToken.None), Task.Delay(-1, stop));
    }
}

/// <summary>Reads a document: takes in what it is given on joining and what comes then.</summary>
internal sealed class DocumentReader(Cluster cluster, Random random, HttpTransportType transport, string document)
    : Participant(cluster, random, transport), IDisposable
{
    private readonly Doc _doc = new();
    private TestClient? _of;
    private int _taken;

    public string Document => document;

    /// <summary>How much of each writer it has.</summary>
    public Dictionary<ulong, uint> Clocks
    {
        get
        {
            lock (_doc)
                return StateVector.Decode(_doc.StateVectorV1());
        }
    }

    /// <summary>All that it has, as one update.</summary>
    public byte[] State
    {
        get
        {
            lock (_doc)
                return _doc.StateDiffV1(StateVector.Empty);
        }
    }

    public void Dispose() => _doc.Dispose();

    public override string ToString() => $"{document} by {Transport}";

    protected override async Task BeginAsync(TestClient client)
    {
        byte[] stateVector;
        lock (_doc)
            stateVector = _doc.StateVectorV1();
        Take((await client.JoinAsync(document, stateVector)).Update);
        (_of, _taken) = (client, 0);
    }

    protected override async Task StepAsync(TestClient client, CancellationToken stop)
    {
        foreach (var received in client.Updates.Skip(_of == client ? _taken : 0).ToArray())
        {
            Take(received.Update);
            _taken++;
        }

        await Task.WhenAny(Task.Delay(20, CancellationToken.None), Task.Delay(-1, stop));
    }

    private void Take(byte[] update)
    {
        lock (_doc)
            _doc.ApplyV1(update);
    }
}
