using Collab.Crdt;
using Collab.Protocol;
using Collab.Testing;
using Collab.Testing.Nodes;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Documents.Data;

/// <summary>Code in the server's process edits, reads, deletes and appears in documents like any member.</summary>
public sealed class DocumentClientTests : IAsyncLifetime
{
    private CollabTestHost _host = null!;

    private IDocumentClient Documents => _host.Services.GetRequiredService<IDocumentClient>();

    public async Task InitializeAsync() => _host = await CollabTestHost.StartAsync([("Collab:Documents:LingerMilliseconds", "0")]);

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task An_edit_is_one_update_that_all_see_and_that_is_its_users()
    {
        var client = await _host.ConnectAsync("ben");
        await client.JoinAsync("doc");

        var position = await Documents.EditAsync(
            "doc",
            doc =>
            {
                doc.GetText("text").Insert(0, "Hello");
                doc.GetArray("list").Push(1, 2);
            },
            new DocumentEditOptions { UserId = "agent" });

        await client.UntilAsync(one => one.Updates.Count == 1);
        Assert.Equal(position, client.Updates.Single().Position);
        Assert.Equal("Hello", await Documents.ReadAsync("doc", doc => doc.GetText("text").ToString()));
    }

    [Fact]
    public async Task An_edit_that_throws_changes_nothing_and_harms_no_later_one()
    {
        await Documents.EditAsync("doc", doc => doc.GetText("text").Insert(0, "Hello"));

        await Assert.ThrowsAsync<InvalidDataException>(() => Documents.EditAsync("doc", doc =>
        {
            doc.GetText("text").Delete(0, 5);
            throw new InvalidDataException();
        }));
        await Documents.EditAsync("doc", doc => doc.GetText("text").Insert(5, " world"));

        Assert.Equal("Hello world", await Documents.ReadAsync("doc", doc => doc.GetText("text").ToString()));
    }

    [Fact]
    public async Task An_edit_at_a_position_is_refused_once_the_document_is_at_another()
    {
        var first = await Documents.EditAsync("doc", doc => doc.GetText("text").Insert(0, "a"));
        await Documents.EditAsync("doc", doc => doc.GetText("text").Insert(0, "b"), new DocumentEditOptions { OnlyAt = first });

        var refused = await Assert.ThrowsAsync<CollabException>(
            () => Documents.EditAsync("doc", doc => doc.GetText("text").Insert(0, "c"), new DocumentEditOptions { OnlyAt = first }));

        Assert.Equal(ErrorCodes.PreconditionFailed, refused.Code);
    }

    [Fact]
    public async Task Edits_of_many_and_pushes_of_members_at_once_are_all_there()
    {
        var client = await _host.ConnectAsync("ben");
        await client.JoinAsync("doc");
        var typist = new Typist(7);

        await Task.WhenAll(
            Task.Run(async () =>
            {
                for (var i = 0; i < 100; i++)
                    await client.PushAsync("doc", typist.Type("x"));
            }),
            Task.WhenAll(Enumerable.Range(0, 4).Select(user => Task.Run(async () =>
            {
                for (var i = 0; i < 50; i++)
                    await Documents.EditAsync("doc", doc => doc.GetText("text").Insert(0, "y"), new DocumentEditOptions { UserId = $"user {user}" });
            }))));

        Assert.Equal((100, 200), await Documents.ReadAsync("doc", doc => (doc.GetText("t").Length, doc.GetText("text").Length)));
    }

    [Fact]
    public async Task What_is_not_there_or_no_name_is_refused()
    {
        var missing = await Assert.ThrowsAsync<CollabException>(() => Documents.ReadAsync("none", doc => doc.Guid));
        var name = await Assert.ThrowsAsync<CollabException>(() => Documents.EditAsync("a b", _ => { }));

        Assert.Equal((ErrorCodes.NotFound, ErrorCodes.InvalidName), (missing.Code, name.Code));
    }

    [Fact]
    public async Task Who_appears_is_seen_by_those_there_and_those_who_come_until_he_goes()
    {
        var early = await _host.ConnectAsync("ben");
        await early.JoinAsync("doc");
        var appearance = await Documents.AppearAsync("doc", Any.FromObject(("user", "agent")), "agent");
        await early.UntilAsync(client => client.Awareness.Count == 1);
        var late = await _host.ConnectAsync("eve");
        var joined = await late.JoinAsync("doc");

        Assert.Equal("""{"user":"agent"}""", StateIn(joined.Awareness, appearance.ClientId));
        await appearance.ShowAsync(Any.FromObject(("user", "agent"), ("busy", true)));
        await late.UntilAsync(client => client.Awareness.Count == 1);
        Assert.Equal("""{"user":"agent","busy":true}""", StateIn(late.Awareness.Single().Awareness, appearance.ClientId));
        await appearance.DisposeAsync();
        await late.UntilAsync(client => client.Awareness.Count == 2);
        Assert.Equal("null", StateIn(late.Awareness.Last().Awareness, appearance.ClientId));
    }

    [Fact]
    public async Task Who_is_in_a_deleted_document_is_told_and_out_of_it_and_the_next_begins_anew()
    {
        var client = await _host.ConnectAsync("ben");
        await client.JoinAsync("doc");
        var first = Position.TryParse(await client.PushAsync("doc", new Typist(1).Type("old")), out var old) ? old : default;

        Assert.True(await Documents.DeleteAsync("doc"));
        await client.UntilAsync(one => one.ClosedDocuments.Contains(("doc", DocumentCloseReasons.Deleted)));
        Assert.Equal(ErrorCodes.NotJoined, await TestClient.CodeOfAsync(client.PushAsync("doc", new Typist(2).Type("late"))));
        Assert.False(await Documents.DeleteAsync("doc"));

        Assert.Equal(Updates.EmptyV1.ToArray(), (await client.JoinAsync("doc")).Update);
        Assert.True(Position.TryParse(await client.PushAsync("doc", new Typist(3).Type("new")), out var now));
        Assert.False(now.IsSameLogAs(first));
        Assert.Equal("new", await Documents.ReadAsync("doc", doc => doc.GetText("t").ToString()));
    }

    [Fact]
    public async Task Deleting_over_HTTP_needs_the_right_to()
    {
        await Documents.EditAsync("doc", doc => doc.GetText("text").Insert(0, "a"));
        const string admin = """[{ "document": "*", "access": ["admin"] }]""";

        using var refused = await _host.SendAsync(HttpMethod.Delete, "/documents/doc");
        using var deleted = await _host.SendAsync(HttpMethod.Delete, "/documents/doc", grants: admin);
        using var missing = await _host.SendAsync(HttpMethod.Delete, "/documents/doc", grants: admin);

        Assert.Equal([403, 204, 404], new[] { refused, deleted, missing }.Select(answer => (int)answer.StatusCode));
    }

    [Fact]
    public async Task On_another_node_a_deleted_document_is_closed_and_an_appearance_is_seen()
    {
        await using var nodes = new InMemoryNodes();
        var (here, there) = (await nodes.StartAsync(), await nodes.StartAsync());
        var documents = here.Services.GetRequiredService<IDocumentClient>();
        await documents.EditAsync("doc", doc => doc.GetText("text").Insert(0, "a"));
        var client = await there.ConnectAsync("ben");
        await client.JoinAsync("doc");
        await using var reader = there.Follow("/documents/doc");
        await reader.UntilAsync(one => one.Events.Count == 1);

        await using (var appearance = await documents.AppearAsync("doc", Any.FromObject(("user", "agent"))))
            await client.UntilAsync(one => one.Awareness.Any(news => AwarenessUpdate.Decode(news.Awareness).Any(state => state.ClientId == appearance.ClientId)));
        await documents.EditAsync("doc", doc => doc.GetText("text").Insert(1, "b"));
        await reader.UntilAsync(one => one.Events.Last().Data == "{\"path\":\"/text\",\"data\":\"ab\"}");
        await documents.DeleteAsync("doc");

        await client.UntilAsync(one => one.ClosedDocuments.Contains(("doc", DocumentCloseReasons.Deleted)));
        await reader.UntilAsync(one => one.Events.Any(happened => happened.Event == "closed"));
        Assert.Equal(Updates.EmptyV1.ToArray(), (await client.JoinAsync("doc")).Update);
    }

    private static string StateIn(byte[] awareness, ulong client) =>
        System.Text.Encoding.UTF8.GetString(AwarenessUpdate.Decode(awareness).Single(state => state.ClientId == client).Json.Span);
}
