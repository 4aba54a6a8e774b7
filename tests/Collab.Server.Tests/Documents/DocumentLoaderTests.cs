using System.Net;
using Collab.Server.Documents.Handlers;
using Collab.Testing;
using Collab.Testing.Nodes;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Documents;

/// <summary>The loader that supplies the first state of documents which do not exist yet.</summary>
public sealed class DocumentLoaderTests
{
    [Fact]
    public async Task A_document_that_does_not_exist_yet_begins_with_what_the_loader_supplies()
    {
        var source = new Source();
        await using var host = await CollabTestHost.StartAsync(configure: source.AddTo);
        var client = await host.ConnectAsync();

        var joined = await client.JoinAsync("old/one");
        await client.PushAsync("old/one", new Typist(7).Type("more"));
        var other = await (await host.ConnectAsync("ben")).JoinAsync("old/one");

        Assert.EndsWith("-1", joined.Position, StringComparison.Ordinal);
        Assert.Equal(5u, source.Typists[0].Read(joined.Update));
        Assert.Equal(5u, source.Typists[0].Read(other.Update));
        Assert.Equal(["old/one"], source.Asked);
    }

    [Fact]
    public async Task Also_who_reads_it_over_HTTP_gets_it()
    {
        var source = new Source();
        await using var host = await CollabTestHost.StartAsync(configure: source.AddTo);

        using var found = await host.GetAsync("/documents/old%2Fone");
        using var unknown = await host.GetAsync("/documents/new%2Fone");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.NotFound), (found.StatusCode, unknown.StatusCode));
    }

    [Fact]
    public async Task A_document_that_the_loader_does_not_know_begins_empty()
    {
        var source = new Source();
        await using var host = await CollabTestHost.StartAsync(configure: source.AddTo);
        var client = await host.ConnectAsync();

        Assert.EndsWith("-0", (await client.JoinAsync("new/one")).Position, StringComparison.Ordinal);
        Assert.EndsWith("-1", await client.PushAsync("new/one", new Typist(7).Type("first")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_several_nodes_ask_at_the_same_time_one_answer_is_taken()
    {
        await using var nodes = new InMemoryNodes();
        var source = new Source { Delay = TimeSpan.FromMilliseconds(200) };
        var hosts = new List<CollabTestHost>();
        for (var i = 0; i < 3; i++)
            hosts.Add(await nodes.StartAsync(source.AddTo));
        var clients = await Task.WhenAll(hosts.Select(host => host.ConnectAsync()));

        var joined = await Task.WhenAll(clients.Select(client => client.JoinAsync("old/one")));

        Assert.Equal(3, source.Typists.Count);
        Assert.Single(source.Typists, typist => typist.Read(joined[0].Update) > 0);
        Assert.All(joined, one => Assert.Equal((joined[0].Update, joined[0].Position), (one.Update, one.Position), Same));
    }

    [Fact]
    public async Task Who_asks_when_the_loader_fails_is_told_to_try_again_and_then_gets_it()
    {
        var source = new Source { Fails = true };
        await using var host = await CollabTestHost.StartAsync(configure: source.AddTo);
        var client = await host.ConnectAsync();

        var refused = await Assert.ThrowsAsync<HubException>(() => client.JoinAsync("old/one"));
        source.Fails = false;
        var joined = await client.JoinAsync("old/one");

        Assert.Contains("unavailable", refused.Message, StringComparison.Ordinal);
        Assert.Equal(5u, source.Typists[0].Read(joined.Update));
    }

    [Fact]
    public async Task What_is_no_update_is_not_taken()
    {
        var source = new Source { Garbles = true };
        await using var host = await CollabTestHost.StartAsync(configure: source.AddTo);
        var client = await host.ConnectAsync();

        var refused = await Assert.ThrowsAsync<HubException>(() => client.JoinAsync("old/one"));

        Assert.Contains("unavailable", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_may_not_read_a_document_does_not_make_the_loader_ask_for_it()
    {
        var source = new Source();
        await using var host = await CollabTestHost.StartAsync(configure: source.AddTo);
        var client = await host.ConnectAsync(grants: """[{ "document": "other", "access": ["read"] }]""");

        await Assert.ThrowsAsync<HubException>(() => client.JoinAsync("old/one"));

        Assert.Empty(source.Asked);
    }

    private static bool Same((byte[] Update, string Position) one, (byte[] Update, string Position) other) =>
        one.Position == other.Position && one.Update.AsSpan().SequenceEqual(other.Update);

    /// <summary>Where documents were before: those whose names begin with "old". Each time it writes them as another.</summary>
    private sealed class Source : IDocumentLoader
    {
        private readonly Lock _gate = new();

        public bool Fails { get; set; }

        public bool Garbles { get; set; }

        public TimeSpan Delay { get; set; }

        public List<string> Asked { get; } = [];

        public List<Typist> Typists { get; } = [];

        public void AddTo(ICollabBuilder collab) => collab.Services.AddSingleton<IDocumentLoader>(this);

        public async ValueTask<byte[]?> LoadAsync(string documentId, CancellationToken cancellationToken)
        {
            await Task.Delay(Delay, cancellationToken);
            lock (_gate)
            {
                Asked.Add(documentId);
                if (Fails)
                    throw new IOException("It is away.");
                if (Garbles)
                    return [1, 2, 3];
                if (!documentId.StartsWith("old", StringComparison.Ordinal))
                    return null;
                var typist = new Typist(100 + (ulong)Typists.Count);
                Typists.Add(typist);
                return typist.Type("hello");
            }
        }
    }
}
