using System.Collections.Concurrent;
using Collab.Server.Documents.Handlers;
using Collab.Testing;
using Collab.Testing.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Documents;

/// <summary>What an application's handlers are told of documents.</summary>
public sealed class DocumentHandlerTests
{
    // A document that goes out of memory at once comes back into it for its automatic version.
    private static readonly (string, string)[] Quick =
    [
        ("Collab:Documents:StoredAfterMilliseconds", "200"),
        ("Collab:Documents:StoredAtMostMilliseconds", "1000"),
        ("Collab:Documents:LingerMilliseconds", "0"),
        ("Collab:Versions:Automatic", "false"),
    ];

    private static readonly (string, string) NoBeat = ("Collab:Documents:BeatMilliseconds", "0");

    [Fact]
    public async Task A_document_is_loaded_entered_changed_stored_left_and_unloaded_in_this_order()
    {
        await using var host = await StartAsync();
        var client = await host.ConnectAsync("ada");
        var joined = await client.JoinAsync("d");
        var typist = new Typist(1);
        var position = await client.PushAsync("d", typist.Type("hello"));
        await client.Connection.StopAsync();

        var told = await ToldAsync(host, last: "unloaded d");

        Assert.Equal(["loaded d", "joined d ada write", $"changed d {position} ada 5", "left d ada write", "stored d 5", "unloaded d"], Sorted(told));
        Assert.NotEqual(position, joined.Position);

        // That it is stored is told before or after that somebody has left.
        static IEnumerable<string> Sorted(IReadOnlyList<string> told) =>
            told is [.., var stored, var left, var last] && stored.StartsWith("stored", StringComparison.Ordinal) ? [.. told.SkipLast(3), left, stored, last] : told;
    }

    [Fact]
    public async Task Who_joins_again_has_come_in_once_and_left_once()
    {
        await using var host = await StartAsync();
        var client = await host.ConnectAsync("ada");
        await client.JoinAsync("d");
        await client.JoinAsync("d");
        await client.Connection.StopAsync();

        Assert.Equal(["loaded d", "joined d ada write", "left d ada write", "unloaded d"], await ToldAsync(host, last: "unloaded d"));
    }

    [Fact]
    public async Task Of_many_changes_without_a_pause_it_is_told_now_and_then_that_they_are_stored()
    {
        await using var host = await StartAsync();
        var client = await host.ConnectAsync();
        await client.JoinAsync("d");
        var typist = new Typist(1);
        for (var until = DateTime.UtcNow.AddSeconds(2.5); DateTime.UtcNow < until; await Task.Delay(20))
            await client.PushAsync("d", typist.Type("x"));
        var stored = Told(host).Count(text => text.StartsWith("stored", StringComparison.Ordinal));

        Assert.InRange(stored, 1, 3);
        Assert.Contains($"stored d {typist.Clock}", await ToldAsync(host, last: $"stored d {typist.Clock}"));
    }

    [Fact]
    public async Task Each_update_is_told_on_the_node_that_has_taken_it_in_and_nowhere_else()
    {
        await using var nodes = new InMemoryNodes();
        var (a, b) = (await nodes.StartAsync(Add, Quick), await nodes.StartAsync(Add, Quick));
        var (ada, ben) = (await a.ConnectAsync("ada"), await b.ConnectAsync("ben"));
        await ada.JoinAsync("d");
        await ben.JoinAsync("d");
        var (one, two) = (new Typist(1), new Typist(2));
        for (var i = 0; i < 50; i++)
        {
            await ada.PushAsync("d", one.Type("a"));
            await ben.PushAsync("d", two.Type("b"));
        }

        await ToldAsync(a, last: "stored d 50");
        await ToldAsync(b, last: "stored d 50");

        Assert.Equal(50, Told(a).Count(text => text.StartsWith("changed d", StringComparison.Ordinal) && text.Contains(" ada ", StringComparison.Ordinal)));
        Assert.Equal(50, Told(b).Count(text => text.StartsWith("changed d", StringComparison.Ordinal) && text.Contains(" ben ", StringComparison.Ordinal)));
        Assert.DoesNotContain(Told(a), text => text.Contains(" ben ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_handler_that_fails_or_never_ends_hurts_nobody()
    {
        await using var host = await CollabTestHost.StartAsync(
            [.. Quick, NoBeat], collab => collab.AddDocumentHandler<Failing>().AddDocumentHandler<Stuck>());
        var client = await host.ConnectAsync();
        await client.JoinAsync("d");
        var typist = new Typist(1);
        for (var i = 0; i < 3_000; i++)
            await client.PushAsync("d", typist.Type("x"));

        var other = await host.ConnectAsync("ben");

        Assert.Equal(3_000u, typist.Read((await other.JoinAsync("d")).Update));
    }

    [Fact]
    public async Task A_handler_that_is_far_behind_is_told_all_changes_in_fewer_updates()
    {
        await using var host = await CollabTestHost.StartAsync([NoBeat], collab =>
        {
            collab.AddDocumentHandler<Late>();
            collab.Services.AddSingleton(new TaskCompletionSource());
            collab.Services.AddSingleton<ConcurrentQueue<DocumentChange>>();
        });
        var client = await host.ConnectAsync();
        await client.JoinAsync("d");
        var typist = new Typist(1);
        var last = "";
        for (var i = 0; i < 3_000; i++)
            last = await client.PushAsync("d", typist.Type("x"));

        host.Services.GetRequiredService<TaskCompletionSource>().SetResult();
        var changes = host.Services.GetRequiredService<ConcurrentQueue<DocumentChange>>();
        await UntilAsync(() => changes.LastOrDefault()?.Position == last);

        Assert.InRange(changes.Count, 1_000, 1_100);
        Assert.Equal(3_000u, typist.Read([.. changes.Select(change => change.Update)]));
    }

    [Fact]
    public async Task A_handler_reads_what_the_document_says()
    {
        await using var host = await CollabTestHost.StartAsync(Quick, collab =>
        {
            collab.AddDocumentHandler<Reading>();
            collab.Services.AddSingleton<ConcurrentQueue<string>>();
        });
        var documents = host.Services.GetRequiredService<IDocumentClient>();
        await documents.EditAsync("d", doc => doc.GetText("text").Insert(0, "hello"));
        var read = host.Services.GetRequiredService<ConcurrentQueue<string>>();

        await UntilAsync(() => read.Contains("d: hello"));
    }

    [Fact]
    public async Task When_the_server_stops_handlers_are_told_what_is_left_to_tell()
    {
        var log = new Recorder.Log();
        await using var host = await CollabTestHost.StartAsync(configure: collab =>
        {
            collab.Services.AddSingleton(log);
            collab.AddDocumentHandler<Recorder>();
        });
        var client = await host.ConnectAsync("ada");
        await client.JoinAsync("d");
        await client.PushAsync("d", new Typist(1).Type("hello"));

        await host.StopAsync();

        Assert.Equal(["stored d 5", "unloaded d"], log.Told.TakeLast(2));
    }

    private static Task<CollabTestHost> StartAsync() => CollabTestHost.StartAsync(Quick, Add);

    private static void Add(ICollabBuilder collab)
    {
        collab.Services.AddSingleton<Recorder.Log>();
        collab.AddDocumentHandler<Recorder>();
    }

    private static IReadOnlyList<string> Told(CollabTestHost host) => [.. host.Services.GetRequiredService<Recorder.Log>().Told];

    private static async Task<IReadOnlyList<string>> ToldAsync(CollabTestHost host, string last)
    {
        await UntilAsync(() => Told(host).Contains(last));
        return Told(host);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!condition())
            await Task.Delay(20, patience.Token);
    }

    /// <summary>Writes down what it is told; of a stored document how much the writer with the client id 1 has typed.</summary>
    private sealed class Recorder(Recorder.Log log) : IDocumentHandler
    {
        public ValueTask LoadedAsync(DocumentContext document, CancellationToken cancellationToken) => Note($"loaded {document.Id}");

        public ValueTask JoinedAsync(DocumentContext document, DocumentParticipant participant, CancellationToken cancellationToken) =>
            Note($"joined {document.Id} {participant.UserId} {(participant.CanWrite ? "write" : "read")}");

        public ValueTask ChangedAsync(DocumentContext document, DocumentChange change, CancellationToken cancellationToken) =>
            Note($"changed {document.Id} {change.Position} {change.UserId} {Crdt.StateVector.Decode(Crdt.Updates.StateVectorV1(change.Update.Span)).Values.FirstOrDefault()}");

        public async ValueTask StoredAsync(DocumentContext document, CancellationToken cancellationToken)
        {
            var state = await document.ReadAsync(cancellationToken);
            await Note($"stored {document.Id} {new Typist(1).Read(state.Update)}");
        }

        public ValueTask LeftAsync(DocumentContext document, DocumentParticipant participant, CancellationToken cancellationToken) =>
            Note($"left {document.Id} {participant.UserId} {(participant.CanWrite ? "write" : "read")}");

        public ValueTask UnloadedAsync(DocumentContext document, CancellationToken cancellationToken) => Note($"unloaded {document.Id}");

        private ValueTask Note(string text)
        {
            log.Told.Enqueue(text);
            return default;
        }

        public sealed class Log
        {
            public ConcurrentQueue<string> Told { get; } = new();
        }
    }

    private sealed class Reading(ConcurrentQueue<string> read) : IDocumentHandler
    {
        public async ValueTask StoredAsync(DocumentContext document, CancellationToken cancellationToken) =>
            read.Enqueue($"{document.Id}: {await document.ReadAsync(doc => doc.GetText("text").ToString(), cancellationToken)}");
    }

    private sealed class Failing : IDocumentHandler
    {
        public ValueTask ChangedAsync(DocumentContext document, DocumentChange change, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("It always fails.");
    }

    private sealed class Stuck : IDocumentHandler
    {
        public async ValueTask ChangedAsync(DocumentContext document, DocumentChange change, CancellationToken cancellationToken) =>
            await Task.Delay(Timeout.Infinite, CancellationToken.None);
    }

    private sealed class Late(TaskCompletionSource begin, ConcurrentQueue<DocumentChange> changes) : IDocumentHandler
    {
        public async ValueTask ChangedAsync(DocumentContext document, DocumentChange change, CancellationToken cancellationToken)
        {
            await begin.Task;
            changes.Enqueue(change);
        }
    }
}
