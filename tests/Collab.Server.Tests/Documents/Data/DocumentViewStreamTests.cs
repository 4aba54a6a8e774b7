using System.Net;
using System.Text.Json;
using Collab.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Documents.Data;

/// <summary>A document's JSON view is followed as put and patch events, cut and resumed.</summary>
public sealed class DocumentViewStreamTests : IAsyncLifetime
{
    private CollabTestHost _host = null!;

    private IDocumentClient Documents => _host.Services.GetRequiredService<IDocumentClient>();

    public async Task InitializeAsync() => _host = await CollabTestHost.StartAsync([("Collab:Fanout:KeepAliveMilliseconds", "1000")]);

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task First_comes_all_then_what_changes()
    {
        var first = await Documents.EditAsync("doc", doc => doc.GetMap("meta").Set("title", "Plan"));
        await using var reader = _host.Follow("/documents/doc");
        await reader.UntilAsync(one => one.Events.Count == 1);
        Assert.Equal((first, "put", """{"path":"/","data":{"meta":{"title":"Plan"}}}"""), reader.Events.Last());

        var second = await Documents.EditAsync("doc", doc => doc.GetMap("meta").Set("title", "New"));
        await reader.UntilAsync(one => one.Events.Count == 2);
        Assert.Equal((second, "put", """{"path":"/meta/title","data":"New"}"""), reader.Events.Last());

        await Documents.EditAsync("doc", doc =>
        {
            doc.GetMap("meta").Remove("title");
            doc.GetMap("meta").Set("a/b", 1);
            doc.GetArray("list").Push(1);
        });
        await reader.UntilAsync(one => one.Events.Count == 3);
        Assert.Equal(("patch", """{"path":"/","data":{"/meta/title":null,"/meta/a~1b":1,"/list":[1]}}"""), (reader.Events.Last().Event, reader.Events.Last().Data));
    }

    [Fact]
    public async Task What_clients_push_is_seen_and_what_is_typed_fast_comes_together()
    {
        await using var reader = _host.Follow("/documents/doc");
        await reader.UntilAsync(one => one.Events.Count == 1);
        Assert.Equal("""{"path":"/","data":{}}""", reader.Events.Last().Data);
        var client = await _host.ConnectAsync();
        await client.JoinAsync("doc");
        var typist = new Typist(1);

        for (var i = 0; i < 200; i++)
            await client.PushAsync("doc", typist.Type("x"));

        await reader.UntilAsync(one => one.Events.Last().Data.Contains(new string('x', 200), StringComparison.Ordinal));
        Assert.True(reader.Events.Count < 100, $"{reader.Events.Count} events");
    }

    [Fact]
    public async Task Who_was_cut_off_gets_what_has_changed_meanwhile()
    {
        await Documents.EditAsync("doc", doc => doc.GetMap("meta").Set("a", 1));
        await using var reader = _host.Follow("/documents/doc");
        await reader.UntilAsync(one => one.Events.Count == 1);

        reader.Cut();
        await Documents.EditAsync("doc", doc => doc.GetMap("meta").Set("b", 2));
        await reader.UntilAsync(one => one.Events.Count == 2);

        Assert.Equal("""{"path":"/meta/b","data":2}""", reader.Events.Last().Data);
    }

    [Fact]
    public async Task Who_comes_back_to_another_document_gets_all_of_it()
    {
        var old = await Documents.EditAsync("doc", doc => doc.GetMap("meta").Set("a", 1));
        await Documents.DeleteAsync("doc");
        await Documents.EditAsync("doc", doc => doc.GetMap("meta").Set("b", 2));

        await using var reader = _host.Follow($"/documents/doc?after={old}");
        await reader.UntilAsync(one => one.Events.Count == 1);

        Assert.Equal("""{"path":"/","data":{"meta":{"b":2}}}""", reader.Events.Single().Data);
    }

    [Fact]
    public async Task Who_follows_a_deleted_document_is_told_and_then_sees_the_new_one()
    {
        await Documents.EditAsync("doc", doc => doc.GetMap("meta").Set("a", 1));
        await using var reader = _host.Follow("/documents/doc");
        await reader.UntilAsync(one => one.Events.Count == 1);

        await Documents.DeleteAsync("doc");

        await reader.UntilAsync(one => one.Events.Any(happened => happened is { Event: "closed", Data: """{"reason":"deleted"}""" }));
        await reader.UntilAsync(one => one.Events.Last() is { Event: "put", Data: """{"path":"/","data":{}}""" });
    }

    [Fact]
    public async Task A_server_that_stops_ends_the_streams_at_once()
    {
        await using var reader = _host.Follow("/documents/doc");
        await reader.UntilAsync(one => one.Events.Count == 1);

        await _host.StopAsync().WaitAsync(TimeSpan.FromSeconds(8));
    }

    [Fact]
    public async Task A_stream_ends_with_the_token()
    {
        await using var reader = new EventSourceReader(
            () => _host.Url + "/documents/doc", TestAuthentication.Header("ada", CollabTestHost.Everything, DateTimeOffset.UtcNow.AddSeconds(2)));
        await reader.UntilAsync(one => one.Events.Count == 1);

        await reader.UntilAsync(one => one.EndedBy is HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Who_may_not_read_does_not_follow()
    {
        await using var reader = _host.Follow("/documents/doc", grants: "[]");

        await reader.UntilAsync(one => one.EndedBy is not null);

        Assert.Equal(HttpStatusCode.Forbidden, reader.EndedBy);
    }

    [Theory]
    [InlineData("""{"a":1}""", """{"a":1}""", "")]
    [InlineData("""{"a":1,"b":2}""", """{"b":3}""", "/a=null /b=3")]
    [InlineData("""{"a":[1,2]}""", """{"a":[1,3]}""", "/a/1=3")]
    [InlineData("""{"a":[1,2]}""", """{"a":[1]}""", "/a=[1]")]
    [InlineData("""{"a":{"b":1}}""", """{"a":{"b":{"c":1}},"d~/":[]}""", "/a/b={\"c\":1} /d~0~1=[]")]
    public void The_difference_names_the_places_that_are_not_the_same(string before, string after, string expected) =>
        Assert.Equal(expected, string.Join(' ', JsonDifference.Between(JsonElement.Parse(before), JsonElement.Parse(after))
            .Select(change => $"{change.Path}={change.Value?.GetRawText() ?? "null"}")));
}
