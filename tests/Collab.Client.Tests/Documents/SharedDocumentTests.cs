using Collab.Crdt;
using Collab.Protocol;
using Collab.Testing;
using Collab.Testing.Proxies;

namespace Collab.Client.Tests.Documents;

/// <summary>A shared document is in step with the server's, whatever the transport, the thread and the network.</summary>
public sealed class SharedDocumentTests(ClientServer server) : IClassFixture<ClientServer>
{
    [Theory]
    [InlineData(Transport.WebSockets, false)]
    [InlineData(Transport.WebSockets, true)]
    [InlineData(Transport.ServerSentEvents, false)]
    [InlineData(Transport.LongPolling, false)]
    public async Task What_one_types_the_other_sees(Transport transport, bool json)
    {
        var name = ClientServer.NewName();
        await using var one = server.Connect("ada", options => (options.Transport, options.UseJson) = (transport, json));
        await using var two = server.Connect("ben", options => (options.Transport, options.UseJson) = (transport, json));
        var (mine, yours) = (one.OpenDocument(name), two.OpenDocument(name));
        await mine.WhenSyncedAsync().SoonAsync();
        await yours.WhenSyncedAsync().SoonAsync();

        mine.Edit(doc => doc.GetText("text").Insert(0, "hello"));
        await Eventually.IsTrueAsync(() => TextOf(yours) == "hello");
        yours.Edit(doc => doc.GetText("text").Insert(5, " world"));

        await Eventually.IsTrueAsync(() => TextOf(mine) == "hello world");
        await mine.WhenAcknowledgedAsync().SoonAsync();
        await yours.WhenAcknowledgedAsync().SoonAsync();
        Assert.Equal(transport, one.Transport);
        Assert.Equal(json || transport == Transport.ServerSentEvents, one.IsJson);
    }

    [Fact]
    public async Task What_was_typed_before_there_is_a_connection_arrives()
    {
        var name = ClientServer.NewName();
        await using var one = server.Connect(configure: options => options.Connect = false);
        var mine = one.OpenDocument(name);
        mine.Edit(doc => doc.GetText("text").Insert(0, "early"));
        mine.Edit(doc => doc.GetText("text").Delete(0, 1));
        await Eventually.IsTrueAsync(() => mine.Unacknowledged == 2);
        Assert.Equal(CollabStatus.Disconnected, mine.Status);

        one.Connect();
        await mine.WhenAcknowledgedAsync().SoonAsync();

        Assert.Equal("arly", await ReadAsync(name));
    }

    [Fact]
    public async Task A_deletion_made_offline_arrives_though_nothing_was_inserted()
    {
        var name = ClientServer.NewName();
        await using var one = server.Connect();
        var mine = one.OpenDocument(name);
        mine.Edit(doc => doc.GetText("text").Insert(0, "hello"));
        await mine.WhenAcknowledgedAsync().SoonAsync();
        await one.DisconnectAsync().SoonAsync();
        mine.Edit(doc => doc.GetText("text").Delete(1, 3));

        one.Connect();
        await mine.WhenAcknowledgedAsync().SoonAsync();

        Assert.Equal("ho", await ReadAsync(name));
    }

    [Fact]
    public async Task Who_may_only_read_sees_others_edits_and_keeps_his_own()
    {
        var name = ClientServer.NewName();
        await using var one = server.Connect("ada");
        await using var two = server.Connect("ben", grants: CollabTestHost.ReadEverything);
        var (mine, yours) = (one.OpenDocument(name), two.OpenDocument(name));
        await yours.WhenSyncedAsync().SoonAsync();
        Assert.Equal(DocumentAccess.Read, yours.Access);
        yours.Edit(doc => doc.GetText("mine").Insert(0, "private"));

        mine.Edit(doc => doc.GetText("text").Insert(0, "public"));

        await Eventually.IsTrueAsync(() => TextOf(yours) == "public");
        Assert.True(yours.HasUnsyncedChanges);
        Assert.Equal("", mine.Read(doc => doc.GetText("mine").ToString()));
    }

    [Fact]
    public async Task Who_may_not_read_is_told_so_once()
    {
        await using var one = server.Connect(grants: "[]");
        var closed = new TaskCompletionSource<string>();
        var mine = one.OpenDocument(ClientServer.NewName(), new SharedDocumentOptions { Connect = false });
        mine.Closed += (_, reason) => closed.SetResult(reason);

        mine.Connect();

        Assert.Equal(DocumentCloseReasons.Forbidden, await closed.Task.SoonAsync());
        Assert.Equal(CollabStatus.Disconnected, mine.Status);
    }

    [Fact]
    public async Task A_document_is_open_once_on_a_connection_and_can_be_opened_again()
    {
        var name = ClientServer.NewName();
        await using var one = server.Connect();
        var mine = one.OpenDocument(name);
        Assert.Equal(ClientErrorCodes.AlreadyOpen, Assert.Throws<CollabException>(() => one.OpenDocument(name)).Code);

        await mine.DisposeAsync();
        var again = one.OpenDocument(name);

        await again.WhenSyncedAsync().SoonAsync();
    }

    [Fact]
    public async Task Each_sees_who_else_is_there_until_he_goes()
    {
        var name = ClientServer.NewName();
        await using var one = server.Connect("ada");
        await using var two = server.Connect("ben");
        var (mine, yours) = (one.OpenDocument(name), two.OpenDocument(name));
        mine.Awareness.LocalState = Any.FromObject(("user", "ada"));
        yours.Awareness.LocalState = Any.FromObject(("user", "ben"));

        await Eventually.IsTrueAsync(() => UsersIn(mine).SequenceEqual(["ada", "ben"]) && UsersIn(yours).SequenceEqual(["ada", "ben"]));
        await yours.DisposeAsync();

        await Eventually.IsTrueAsync(() => UsersIn(mine).SequenceEqual(["ada"]));
    }

    [Fact]
    public async Task Cut_connections_lose_nothing_and_awareness_comes_back()
    {
        var name = ClientServer.NewName();
        await using var network = new TcpRelay(new Uri(server.Url).Port);
        await using var one = server.Connect("ada", options => options.Transport = Transport.WebSockets, network.Url);
        await using var two = server.Connect("ben", options => options.Transport = Transport.LongPolling, network.Url);
        var (mine, yours) = (one.OpenDocument(name), two.OpenDocument(name));
        mine.Awareness.LocalState = Any.FromObject(("user", "ada"));
        await mine.WhenSyncedAsync().SoonAsync();
        var random = new Random(7);
        for (var i = 0; i < 300; i++)
        {
            var (document, letter) = i % 2 == 0 ? (mine, "a") : (yours, "b");
            document.Edit(doc => doc.GetText("text").Insert(random.Next(doc.GetText("text").Length + 1), letter));
            if (i % 60 == 30)
                network.CutOne(random);
            await Task.Delay(2);
        }

        await Eventually.IsTrueAsync(() => TextOf(mine).Length == 300 && TextOf(mine) == TextOf(yours), () => $"{TextOf(mine)}\n{TextOf(yours)}");
        await mine.WhenAcknowledgedAsync().SoonAsync();
        await yours.WhenAcknowledgedAsync().SoonAsync();
        Assert.Equal(TextOf(mine), await ReadAsync(name));
        await Eventually.IsTrueAsync(() => UsersIn(yours).Contains("ada"));
    }

    [Fact]
    public async Task Many_threads_may_edit_at_once()
    {
        var name = ClientServer.NewName();
        await using var one = server.Connect("ada");
        await using var two = server.Connect("ben");
        var (mine, yours) = (one.OpenDocument(name), two.OpenDocument(name));

        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < 100; i++)
                (thread % 2 == 0 ? mine : yours).Edit(doc => doc.GetText("text").Insert(0, "x"));
        }))).SoonAsync();

        await Eventually.IsTrueAsync(() => TextOf(mine).Length == 800 && TextOf(yours).Length == 800);
    }

    [Fact]
    public async Task Threads_that_use_the_document_itself_at_once_are_refused_and_harm_nothing()
    {
        var name = ClientServer.NewName();
        await using var one = server.Connect("ada");
        await using var two = server.Connect("ben");
        var (mine, yours) = (one.OpenDocument(name), two.OpenDocument(name));
        var written = 0;

        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < 200; i++)
            {
                yours.Edit(doc => doc.GetText("yours").Insert(0, "y"));
                try
                {
                    mine.Doc.GetText("mine").Insert(0, "m");
                    Interlocked.Increment(ref written);
                }
                catch (InvalidOperationException)
                {
                    // Somebody else was at work in it.
                }
            }
        }))).SoonAsync();

        await Eventually.IsTrueAsync(() => LengthOf(mine, "yours") == 800 && LengthOf(yours, "mine") == written);
        Assert.Equal(written, LengthOf(mine, "mine"));
    }

    [Fact]
    public async Task Observers_that_throw_stop_nothing()
    {
        var name = ClientServer.NewName();
        await using var one = server.Connect("ada");
        await using var two = server.Connect("ben");
        var (mine, yours) = (one.OpenDocument(name), two.OpenDocument(name));
        yours.Doc.GetText("text").Observe(_ => throw new InvalidDataException("mine"));

        foreach (var letter in "abc")
            mine.Edit(doc => doc.GetText("text").Insert(doc.GetText("text").Length, letter.ToString()));

        await Eventually.IsTrueAsync(() => TextOf(yours) == "abc");
    }

    private static string TextOf(SharedDocument document) => document.Read(doc => doc.GetText("text").ToString()!);

    private static int LengthOf(SharedDocument document, string root) => document.Read(doc => doc.GetText(root).Length);

    private static string[] UsersIn(SharedDocument document) =>
    [
        .. document.Awareness.States.Values
            .Select(state => state.AsObject().TryGetValue("user", out var user) ? user.AsString() : "")
            .Where(user => user.Length > 0)
            .Order(StringComparer.Ordinal),
    ];

    // What the server has, as one who comes later sees it.
    private async Task<string> ReadAsync(string name)
    {
        await using var reader = server.Connect("reader");
        var document = reader.OpenDocument(name);
        await document.WhenSyncedAsync().SoonAsync();
        return TextOf(document);
    }
}
