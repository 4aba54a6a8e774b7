using Collab.Crdt;
using Collab.Server.Documents;
using Collab.Server.Rooms;
using Collab.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Collab.Server.Tests.Documents;

/// <summary>Compaction builds the document, so that a log is as short as the document, and loses nothing whatever comes in between.</summary>
public sealed class CompactionTests
{
    private static readonly RoomKey Document = new(RoomKind.Document, "d");

    [Fact]
    public async Task An_update_whose_dependency_comes_only_after_compaction_takes_its_place()
    {
        await using var host = await StartAsync();
        var client = await host.ConnectAsync();
        await client.JoinAsync("d");
        Typist typist = new(1), other = new(2);
        var missing = typist.Type("first ");
        await client.PushAsync("d", typist.Type("second"));
        await TypeAsync(client, other, 4);
        await UntilCompactedAsync(host);

        await client.PushAsync("d", missing);
        await TypeAsync(client, other, 4);

        await UntilCompactedAsync(host, through: 9);
        Assert.Contains("first second", await TextAsync(host), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deletes_that_wait_for_their_text_survive()
    {
        await using var host = await StartAsync();
        var client = await host.ConnectAsync();
        await client.JoinAsync("d");
        // Units 1 to 3 of client 1 are deleted before they are there.
        await client.PushAsync("d", [0, 1, 1, 1, 1, 3]);
        await TypeAsync(client, new Typist(2), 4);
        await UntilCompactedAsync(host);

        await client.PushAsync("d", new Typist(1).Type("abcde"));

        Assert.Contains("ae", await TextAsync(host), StringComparison.Ordinal);
    }

    [Fact]
    public void Concurrent_writing_becomes_as_short_as_its_document()
    {
        var trace = Traces.Recorded() ?? Traces.MadeUp(seed: 1, steps: 1500);
        using var document = new Doc();
        foreach (var update in trace)
            document.ApplyV1(update.Span);
        var merged = Updates.MergeV1(trace);

        var compacted = new ManagedEngine().Compact(merged);

        Assert.True(Updates.CoversV1(compacted, merged));
        Assert.InRange(compacted.Length, 1, document.StateDiffV1().Length);
        Assert.InRange(compacted.Length, 1, merged.Length / 3);
        Assert.Equal(document.StateVectorV1(), Updates.StateVectorV1(compacted));
    }

    [Fact]
    public async Task Deleted_content_is_gone_from_the_log()
    {
        await using var host = await StartAsync();
        var client = await host.ConnectAsync();
        await client.JoinAsync("d");
        using var doc = new Doc();
        doc.GetText("t").Insert(0, "a secret and what stays");
        await client.PushAsync("d", doc.StateDiffV1());
        doc.GetText("t").Delete(0, 13);
        await client.PushAsync("d", doc.StateDiffV1());
        await TypeAsync(client, new Typist(2), 3);

        var page = await UntilCompactedAsync(host);

        Assert.Equal(-1, page.Snapshot!.Data.Span.IndexOf("secret"u8));
        Assert.NotEqual(-1, page.Snapshot.Data.Span.IndexOf("what stays"u8));
    }

    [Fact]
    public async Task Those_who_write_and_join_while_it_is_compacted_have_everything()
    {
        await using var host = await StartAsync(engine: new SlowEngine());
        var typists = Enumerable.Range(1, 3).Select(id => new Typist((ulong)id)).ToArray();
        var writing = typists.Select(async typist =>
        {
            var client = await host.ConnectAsync($"user{typist.ClientId}");
            await client.JoinAsync("d");
            await TypeAsync(client, typist, 150);
        }).ToArray();

        while (!Task.WhenAll(writing).IsCompleted)
        {
            var joiner = await host.ConnectAsync("joiner");
            var known = typists.Select(typist => typist.Clock).ToArray();
            var joined = await joiner.JoinAsync("d");
            await Task.Delay(20);
            foreach (var (typist, index) in typists.Select((typist, index) => (typist, index)))
                await joiner.UntilReadAsync(typist, known[index], joined);
        }

        await Task.WhenAll(writing);
        var page = await UntilCompactedAsync(host, through: 100);
        var all = (await (await host.ConnectAsync()).JoinAsync("d")).Update;
        foreach (var typist in typists)
        {
            Assert.Equal(typist.Clock, typist.Read(all));
            Assert.Equal(typist.Clock, typist.Read([page.Snapshot!.Data, .. page.Entries.Select(entry => entry.Data)]));
        }
    }

    [Fact]
    public async Task What_comes_while_it_is_compacted_is_compacted_next_though_nothing_follows()
    {
        using var engine = new GatedEngine();
        await using var host = await StartAsync(engine: engine);
        var client = await host.ConnectAsync();
        await client.JoinAsync("d");
        var typist = new Typist(1);
        await TypeAsync(client, typist, 5);
        Assert.True(await engine.Begun.WaitAsync(TimeSpan.FromSeconds(30)));
        await TypeAsync(client, typist, 5);

        engine.Gate.Release(100);

        await UntilCompactedAsync(host, through: 10);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_engine_that_loses_something_or_fails_is_not_believed(bool fails)
    {
        await using var host = await StartAsync(engine: new BadEngine(fails));
        var client = await host.ConnectAsync();
        await client.JoinAsync("d");
        var typist = new Typist(1);
        await TypeAsync(client, typist, 10);

        var page = await UntilCompactedAsync(host);

        Assert.Equal(10u, typist.Read([page.Snapshot!.Data, .. page.Entries.Select(entry => entry.Data)]));
    }

    [Fact]
    public async Task A_document_over_the_bound_is_compacted_without_being_built()
    {
        await using var host = await StartAsync([("Collab:Documents:MaxBuiltBytes", "5")], new BadEngine(fails: false));
        var client = await host.ConnectAsync();
        await client.JoinAsync("d");
        var typist = new Typist(1);
        await TypeAsync(client, typist, 10);

        var page = await UntilCompactedAsync(host);

        Assert.Equal(10u, typist.Read([page.Snapshot!.Data, .. page.Entries.Select(entry => entry.Data)]));
        Assert.Equal(0, ((BadEngine)host.Services.GetRequiredService<IDocumentEngine>()).Calls);
    }

    [Fact]
    public async Task What_would_take_the_engine_hours_is_compacted_on_bytes_within_seconds()
    {
        await using var host = await StartAsync();
        var client = await host.ConnectAsync();
        await client.JoinAsync("d");
        var typist = new Typist(1);
        await client.PushAsync("d", typist.Type(new string('a', 50_000)));
        // Client 2 inserts each unit at the start and before another one of client 1: each has to be compared with all before it.
        var update = new List<byte> { 1 };
        WriteVarUint(update, 50_000);
        update.AddRange([2, 0]);
        for (var i = 0u; i < 50_000; i++)
        {
            update.AddRange([0x44, 1]);
            WriteVarUint(update, i);
            update.AddRange([1, (byte)'b']);
        }

        await client.PushAsync("d", [.. update, 0]);

        var page = await UntilCompactedAsync(host, through: 2);
        Assert.Equal(50_000u, new Typist(2).Read(page.Snapshot!.Data));
        using var json = await host.GetAsync("/documents/d", "application/json");
        Assert.Equal("too_large", await json.CodeAsync());
    }

    private static void WriteVarUint(List<byte> bytes, uint value)
    {
        for (; value >= 0x80; value >>= 7)
            bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
    }

    private static Task<CollabTestHost> StartAsync(IEnumerable<(string, string)>? settings = null, IDocumentEngine? engine = null) =>
        CollabTestHost.StartAsync(
            [
                ("Collab:Documents:CompactAfterUpdates", "5"),
                ("Collab:Documents:CompactPauseMilliseconds", "0"),
                ("Collab:Documents:BeatMilliseconds", "0"),
                .. settings ?? [],
            ],
            collab =>
            {
                if (engine is not null)
                    collab.Services.Replace(ServiceDescriptor.Singleton(engine));
            });

    private static async Task TypeAsync(TestClient client, Typist typist, int letters)
    {
        for (var i = 0; i < letters; i++)
            await client.PushAsync("d", typist.Type("x"));
    }

    private static async Task<LogPage> UntilCompactedAsync(CollabTestHost host, long through = 5)
    {
        var log = host.Services.GetRequiredService<IRoomLog>();
        for (var tries = 0; tries < 1500; tries++)
        {
            var page = await log.ReadAll(Document);
            if (page.Snapshot?.Offset >= through)
                return page;
            await Task.Delay(20);
        }

        throw new TimeoutException("It is not compacted.");
    }

    private static async Task<string> TextAsync(CollabTestHost host)
    {
        using var doc = new Doc();
        doc.ApplyV1((await (await host.ConnectAsync()).JoinAsync("d")).Update);
        Assert.False(doc.HasPending);
        return doc.GetText("t").ToString();
    }

    /// <summary>Takes its time, so that much happens meanwhile.</summary>
    private sealed class SlowEngine : IDocumentEngine
    {
        private readonly ManagedEngine _engine = new();

        public byte[] Compact(byte[] update)
        {
            Thread.Sleep(50);
            return _engine.Compact(update);
        }

        public IDocumentContent Open(byte[] update) => _engine.Open(update);
    }

    /// <summary>Waits to be let through.</summary>
    private sealed class GatedEngine : IDocumentEngine, IDisposable
    {
        private readonly ManagedEngine _engine = new();

        public SemaphoreSlim Begun { get; } = new(0);

        public SemaphoreSlim Gate { get; } = new(0);

        public byte[] Compact(byte[] update)
        {
            Begun.Release();
            Gate.Wait();
            return _engine.Compact(update);
        }

        public IDocumentContent Open(byte[] update) => _engine.Open(update);

        public void Dispose()
        {
            Begun.Dispose();
            Gate.Dispose();
        }
    }

    private sealed class BadEngine(bool fails) : IDocumentEngine
    {
        public int Calls { get; private set; }

        public byte[] Compact(byte[] update)
        {
            Calls++;
            return fails ? throw new InvalidOperationException("It fails.") : Updates.EmptyV1.ToArray();
        }

        public IDocumentContent Open(byte[] update) => throw new NotSupportedException();
    }
}
