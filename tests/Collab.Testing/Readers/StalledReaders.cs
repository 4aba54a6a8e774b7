using System.Diagnostics;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Testing.Readers;

/// <summary>
/// A burst of updates into one document while some of its members have stopped reading: what it did to the others and what became of
/// those who stopped. Works with every hub that has <c>JoinDocument</c> and <c>PushUpdate</c>.
/// </summary>
public sealed class StalledReaders(string document) : IAsyncDisposable
{
    private const int PushesUnderWay = 32;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<BurstReader> _healthy = [];
    private readonly List<BurstReader> _stalled = [];

    /// <summary>The longest time in which some healthy member got nothing, in milliseconds.</summary>
    public long LongestPause => _healthy.Max(reader => reader.LongestPause);

    /// <summary>The fewest updates that a healthy member got.</summary>
    public int FewestReceived => _healthy.Min(reader => reader.Count);

    /// <summary>What each stalled member had, or that he was closed, some time after he began to read again.</summary>
    public IReadOnlyList<string> Outcomes { get; private set; } = [];

    /// <summary>Joins the members. The last three or fewer stop reading: over a WebSocket, server-sent events, long polling.</summary>
    public async Task JoinAsync(Uri hub, int healthy, int stalled)
    {
        for (var i = 0; i < healthy; i++)
        {
            _healthy.Add((i % 10) switch
            {
                8 => new ServerSentEventsBurstReader(hub),
                9 => new LongPollingBurstReader(hub),
                _ => new WebSocketBurstReader(hub),
            });
        }

        _stalled.AddRange(new BurstReader[]
        {
            new WebSocketBurstReader(hub), new ServerSentEventsBurstReader(hub), new LongPollingBurstReader(hub),
        }.Take(stalled));
        foreach (var reader in _healthy.Concat(_stalled))
            await reader.JoinAsync(document);
        foreach (var reader in _stalled)
            reader.Stall();
    }

    /// <summary>Pushes the updates as fast as they are acknowledged and waits until the healthy members have them.</summary>
    public async Task PushAsync(Uri hub, int updates, int bytes)
    {
        await using var pusher = new HubConnectionBuilder().WithUrl(hub).AddMessagePackProtocol().Build();
        await pusher.StartAsync();
        await pusher.InvokeAsync<object>("JoinDocument", document, new byte[] { 0 });
        foreach (var reader in _healthy)
            reader.BeginMeasuring();

        var typist = new Typist(1);
        var text = MarkCounter.Mark + new string('x', bytes - MarkCounter.Mark.Length);
        var underWay = new SemaphoreSlim(PushesUnderWay);
        var pushes = new List<Task>(updates);
        for (var i = 0; i < updates; i++)
        {
            await underWay.WaitAsync();
            pushes.Add(PushOneAsync(typist.Type(text)));
        }

        await Task.WhenAll(pushes);
        await UntilAsync(() => _healthy.TrueForAll(reader => reader.Count >= updates));

        async Task PushOneAsync(byte[] update)
        {
            await pusher.InvokeAsync<object>("PushUpdate", document, update);
            underWay.Release();
        }
    }

    /// <summary>The stalled members read again: each is to have all updates, or to be closed, within <paramref name="within"/>.</summary>
    public async Task ResumeAsync(int updates, TimeSpan within)
    {
        foreach (var reader in _stalled)
            reader.Resume();
        var since = Stopwatch.StartNew();
        while (since.Elapsed < within && !_stalled.TrueForAll(reader => reader.Count >= updates || reader.IsClosed))
            await Task.Delay(50);
        Outcomes = [.. _stalled.Select(reader => reader.Count >= updates ? "caught up" : reader.IsClosed ? "closed" : $"{reader.Count} updates")];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var reader in _healthy.Concat(_stalled))
            await reader.DisposeAsync();
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        var since = Stopwatch.StartNew();
        while (!condition() && since.Elapsed < Patience)
            await Task.Delay(20);
    }
}
