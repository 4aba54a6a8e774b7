using System.Net;
using Collab.Crdt;
using Collab.Server.Documents;
using Collab.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Tests.Documents;

/// <summary>One document over HTTP: as an update, as JSON, as text.</summary>
public sealed class DocumentContentTests : IAsyncLifetime
{
    private readonly Doc _doc = new(new DocOptions { ClientId = 1 });
    private CollabTestHost _host = null!;

    public async Task InitializeAsync()
    {
        _host = await CollabTestHost.StartAsync([("Collab:Documents:MaxBuiltBytes", "2000"), ("Collab:Documents:LingerMilliseconds", "100")]);
        _doc.GetText("body").Insert(0, "Grüße");
        _doc.GetMap("meta")["tags"] = new YArray("a", 1);
        _doc.GetXmlFragment("page").Push(new XmlElement("p"));
        await PushAsync("acme/notes", _doc);
    }

    public async Task DisposeAsync()
    {
        _doc.Dispose();
        await _host.DisposeAsync();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("*/*")]
    [InlineData("application/json")]
    [InlineData("image/png, application/*;q=0.9, text/plain;q=0.1")]
    [InlineData("application/octet-stream;q=0, */*")]
    public async Task As_JSON_all_roots_show_what_is_in_them(string? accept)
    {
        using var answer = await _host.GetAsync("/documents/acme%2Fnotes", accept);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.ToString());
        Assert.Equal("""{"body":"Grüße","meta":{"tags":["a",1]},"page":"<p></p>"}""", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task As_bytes_it_is_an_update_that_makes_the_same_document()
    {
        using var answer = await _host.GetAsync("/documents/acme%2Fnotes", "application/octet-stream");
        using var copy = new Doc();

        copy.ApplyV1(await answer.Content.ReadAsByteArrayAsync());

        Assert.Equal("application/octet-stream", answer.Content.Headers.ContentType?.ToString());
        Assert.Equal(_doc.StateVectorV1(), copy.StateVectorV1());
        Assert.Equal("Grüße", copy.GetText("body").ToString());
        Assert.Equal(0, Room("acme/notes")?.Content.Bytes ?? 0);
    }

    [Theory]
    [InlineData("", "Grüße")]
    [InlineData("?root=body", "Grüße")]
    [InlineData("?root=page", "<p></p>")]
    public async Task As_text_it_is_the_named_root_or_the_only_text(string query, string text)
    {
        using var answer = await _host.GetAsync("/documents/acme%2Fnotes" + query, "text/plain");

        Assert.Equal("text/plain; charset=utf-8", answer.Content.Headers.ContentType?.ToString());
        Assert.Equal(text, await answer.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("/documents/acme%2Fnotes?root=none", "text/plain", HttpStatusCode.NotFound, "not_found")]
    [InlineData("/documents/acme%2Fnotes?root=meta", "text/plain", HttpStatusCode.NotAcceptable, "not_acceptable")]
    [InlineData("/documents/acme%2Fnotes", "image/png", HttpStatusCode.NotAcceptable, "not_acceptable")]
    [InlineData("/documents/acme%2Fnone", "application/json", HttpStatusCode.NotFound, "not_found")]
    [InlineData("/documents/acme%2Fnone", "application/octet-stream", HttpStatusCode.NotFound, "not_found")]
    [InlineData("/documents/other", "application/json", HttpStatusCode.Forbidden, "forbidden")]
    [InlineData("/documents/other", "application/octet-stream", HttpStatusCode.Forbidden, "forbidden")]
    [InlineData("/documents/a%20b", "application/json", HttpStatusCode.BadRequest, "invalid_name")]
    public async Task A_refusal_is_a_problem_document_with_a_code(string path, string accept, HttpStatusCode status, string code)
    {
        using var answer = await _host.GetAsync(path, accept, """[{ "document": "acme/*", "access": ["read"] }]""");

        Assert.Equal((status, "application/problem+json"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        Assert.Equal(code, await answer.CodeAsync());
    }

    [Fact]
    public async Task Without_a_user_there_is_no_document()
    {
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri(_host.Url + "/documents/acme%2Fnotes"));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task What_was_acknowledged_is_in_the_next_answer()
    {
        for (var i = 0; i < 20; i++)
        {
            _doc.GetText("body").Insert(0, $"{i} ");
            await PushAsync("acme/notes", _doc);

            using var answer = await _host.GetAsync("/documents/acme%2Fnotes", "text/plain");

            Assert.Equal(_doc.GetText("body").ToString(), await answer.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task What_waits_for_something_is_not_shown_before_that_comes()
    {
        var typist = new Typist(7);
        var missing = typist.Type("first ");
        await PushAsync("d", typist.Type("second"));
        using var early = await _host.GetAsync("/documents/d", "application/json");
        await PushAsync("d", missing);
        using var late = await _host.GetAsync("/documents/d", "text/plain");

        Assert.Equal("{}", await early.Content.ReadAsStringAsync());
        Assert.Equal("first second", await late.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Who_has_seen_it_is_told_that_nothing_has_changed()
    {
        using var first = await _host.GetAsync("/documents/acme%2Fnotes");
        using var second = await _host.GetAsync("/documents/acme%2Fnotes", ifNoneMatch: first.Headers.ETag!.ToString());
        await PushAsync("acme/notes", new Typist(9).Type("x"));
        using var third = await _host.GetAsync("/documents/acme%2Fnotes", ifNoneMatch: first.Headers.ETag!.ToString());

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.NotModified, HttpStatusCode.OK], [first.StatusCode, second.StatusCode, third.StatusCode]);
    }

    [Fact]
    public async Task Several_texts_must_be_named()
    {
        _doc.GetText("title").Insert(0, "x");
        await PushAsync("acme/notes", _doc);

        using var answer = await _host.GetAsync("/documents/acme%2Fnotes", "text/plain");

        Assert.Equal("not_acceptable", await answer.CodeAsync());
    }

    [Fact]
    public async Task A_text_that_was_emptied_is_empty_as_text_and_null_as_JSON()
    {
        using var doc = new Doc();
        doc.GetText("t").Insert(0, "gone");
        doc.GetText("t").Delete(0, 4);
        await PushAsync("d", doc);

        using var text = await _host.GetAsync("/documents/d", "text/plain");
        using var json = await _host.GetAsync("/documents/d", "application/json");

        Assert.Equal("", await text.Content.ReadAsStringAsync());
        Assert.Equal("""{"t":null}""", await json.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_document_over_the_bound_is_not_built_but_can_be_had_as_bytes()
    {
        await PushAsync("d", new Typist(1).Type(new string('x', 2100)));

        using var json = await _host.GetAsync("/documents/d", "application/json");
        using var bytes = await _host.GetAsync("/documents/d", "application/octet-stream");

        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "too_large"), (json.StatusCode, await json.CodeAsync()));
        Assert.Equal(HttpStatusCode.OK, bytes.StatusCode);
    }

    [Fact]
    public async Task Nothing_is_built_before_somebody_asks_and_it_is_dropped_when_nobody_asks_any_more()
    {
        var member = await _host.ConnectAsync();
        await member.JoinAsync("acme/notes");
        Assert.Equal(0, Room("acme/notes")!.Content.Bytes);

        using var answer = await _host.GetAsync("/documents/acme%2Fnotes");

        Assert.NotEqual(0, Room("acme/notes")!.Content.Bytes);
        for (var tries = 0; Room("acme/notes")!.Content.Bytes > 0; tries++)
        {
            Assert.True(tries < 200, "it is still there");
            await Task.Delay(50);
        }
    }

    private DocumentRoom? Room(string document) => _host.Services.GetRequiredService<DocumentRooms>().Find(document);

    private Task PushAsync(string document, Doc doc) => PushAsync(document, doc.StateDiffV1());

    private async Task PushAsync(string document, byte[] update)
    {
        var client = await _host.ConnectAsync();
        await client.JoinAsync(document);
        await client.PushAsync(document, update);
        await client.Connection.StopAsync();
    }
}
