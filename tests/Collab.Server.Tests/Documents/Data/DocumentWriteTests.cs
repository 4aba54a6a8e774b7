using System.Net;
using System.Text;
using Collab.Crdt;
using Collab.Protocol;
using Collab.Testing;

namespace Collab.Server.Documents.Data;

/// <summary>Documents are changed over HTTP, all or nothing, and those who are in them see it live.</summary>
public sealed class DocumentWriteTests : IAsyncLifetime
{
    private const string Patch = "application/json-patch+json", Merge = "application/merge-patch+json", Delta = "application/vnd.collab.delta+json";

    private CollabTestHost _host = null!;

    public async Task InitializeAsync() =>
        _host = await CollabTestHost.StartAsync([("Collab:Documents:MaxUpdateBytes", "65536"), ("Collab:Documents:MaxBuiltBytes", "1000000")]);

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task A_document_is_written_as_JSON_and_read_back()
    {
        const string json = """{"meta":{"title":"Plan","tags":["a","b"],"open":true,"owner":null},"tasks":[{"text":"one","done":false}],"body":"Hello"}""";

        await PutAsync("plan", json);

        Assert.Equal(json, await ReadAsync("plan"));
    }

    [Theory]
    // Maps and lists, as RFC 6902 has them.
    [InlineData("""[{"op":"add","path":"/meta/due","value":7}]""", "meta.due", "7")]
    [InlineData("""[{"op":"replace","path":"/meta/title","value":"New"}]""", "meta.title", "\"New\"")]
    [InlineData("""[{"op":"remove","path":"/meta/title"}]""", "meta", """{"deep":{"a":{"b":1}}}""")]
    [InlineData("""[{"op":"add","path":"/tasks/1","value":{"text":"x"}}]""", "tasks", """[{"text":"one"},{"text":"x"},{"text":"two"}]""")]
    [InlineData("""[{"op":"add","path":"/tasks/-","value":3}]""", "tasks", """[{"text":"one"},{"text":"two"},3]""")]
    [InlineData("""[{"op":"replace","path":"/tasks/0/text","value":"uno"}]""", "tasks", """[{"text":"uno"},{"text":"two"}]""")]
    [InlineData("""[{"op":"remove","path":"/tasks/0"}]""", "tasks", """[{"text":"two"}]""")]
    [InlineData("""[{"op":"move","from":"/tasks/0","path":"/tasks/1"}]""", "tasks", """[{"text":"two"},{"text":"one"}]""")]
    [InlineData("""[{"op":"copy","from":"/meta/deep/a","path":"/copy"}]""", "copy", """{"b":1}""")]
    [InlineData("""[{"op":"test","path":"/meta/deep/a/b","value":1},{"op":"replace","path":"/meta/deep/a","value":{"b":2}}]""", "meta.deep", """{"a":{"b":2}}""")]
    [InlineData("""[{"op":"replace","path":"/text","value":"Hello there"}]""", "text", "\"Hello there\"")]
    [InlineData("""[{"op":"add","path":"/fresh/-","value":"first"}]""", "fresh", """["first"]""")]
    [InlineData("""[{"op":"add","path":"/other/key","value":"first"}]""", "other", """{"key":"first"}""")]
    [InlineData("""[{"op":"add","path":"/meta/a~1b~0c","value":1}]""", "meta.a/b~c", "1")]
    public async Task A_JSON_patch_changes_what_it_names(string patch, string where, string expected)
    {
        await PutAsync("doc", """{"meta":{"title":"Plan","deep":{"a":{"b":1}}},"tasks":[{"text":"one"},{"text":"two"}],"text":"Hello"}""");

        await OkAsync(HttpMethod.Patch, "/documents/doc", patch, Patch);

        Assert.Equal(expected, (await ReadAsync("doc", where)));
    }

    [Theory]
    [InlineData("""{"meta":{"title":null,"deep":{"c":2}}}""", "meta", """{"deep":{"a":1,"c":2}}""")]
    [InlineData("""{"meta":{"deep":5}}""", "meta", """{"title":"Plan","deep":5}""")]
    [InlineData("""{"tasks":[2,3]}""", "tasks", "[2,3]")]
    [InlineData("""{"text":"Bye"}""", "text", "\"Bye\"")]
    [InlineData("""{"added":{"a":{"b":null,"c":1}}}""", "added", """{"a":{"c":1}}""")]
    public async Task A_merge_patch_changes_what_it_names(string patch, string where, string expected)
    {
        await PutAsync("doc", """{"meta":{"title":"Plan","deep":{"a":1}},"tasks":[1,2],"text":"Hello"}""");

        await OkAsync(HttpMethod.Patch, "/documents/doc", patch, Merge);

        Assert.Equal(expected, await ReadAsync("doc", where));
    }

    [Fact]
    public async Task A_delta_changes_a_text_and_its_formatting()
    {
        await OkAsync(HttpMethod.Patch, "/documents/doc?path=/text", """[{"insert":"Hello "},{"insert":"world","attributes":{"bold":true}}]""", Delta);
        await OkAsync(HttpMethod.Patch, "/documents/doc?path=/text", """[{"retain":6},{"retain":5,"attributes":{"italic":true}},{"insert":"!"},{"delete":0}]"""
            .Replace(""",{"delete":0}""", "", StringComparison.Ordinal), Delta);

        using var answer = await _host.GetAsync("/documents/doc", "text/html");
        Assert.Equal("<p>Hello <strong><em>world</em></strong>!</p>", await answer.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData(Patch, """[{"op":"replace","path":"/meta/none","value":1}]""", HttpStatusCode.Conflict, "conflict")]
    [InlineData(Patch, """[{"op":"remove","path":"/tasks/7"}]""", HttpStatusCode.Conflict, "conflict")]
    [InlineData(Patch, """[{"op":"add","path":"/tasks/01","value":1}]""", HttpStatusCode.Conflict, "conflict")]
    [InlineData(Patch, """[{"op":"add","path":"/text/0","value":"x"}]""", HttpStatusCode.Conflict, "conflict")]
    [InlineData(Patch, """[{"op":"add","path":"/meta/x","value":1},{"op":"test","path":"/meta/title","value":"other"}]""", HttpStatusCode.Conflict, "conflict")]
    [InlineData(Patch, """[{"op":"replace","path":"/tasks","value":"text"}]""", HttpStatusCode.Conflict, "conflict")]
    [InlineData(Patch, """[{"op":"replace","path":"/tasks","value":7}]""", HttpStatusCode.BadRequest, "invalid_patch")]
    [InlineData(Patch, """[{"op":"move","from":"/meta","path":"/meta/deep"}]""", HttpStatusCode.BadRequest, "invalid_patch")]
    [InlineData(Patch, """[{"op":"turn","path":"/meta"}]""", HttpStatusCode.BadRequest, "invalid_patch")]
    [InlineData(Patch, """[{"op":"add","path":"meta"}]""", HttpStatusCode.BadRequest, "invalid_patch")]
    [InlineData(Patch, """{"op":"add"}""", HttpStatusCode.BadRequest, "invalid_patch")]
    [InlineData(Patch, """[{"op":"add",""", HttpStatusCode.BadRequest, "invalid_patch")]
    [InlineData(Merge, """[1]""", HttpStatusCode.BadRequest, "invalid_patch")]
    [InlineData(Merge, """{"tasks":7}""", HttpStatusCode.BadRequest, "invalid_patch")]
    [InlineData(Merge, """{"text":{"a":1}}""", HttpStatusCode.Conflict, "conflict")]
    [InlineData(Delta, """[{"insert":"x"}]""", HttpStatusCode.BadRequest, "invalid_patch")]
    public async Task What_does_not_fit_is_refused_and_changes_nothing(string type, string patch, HttpStatusCode status, string code)
    {
        await PutAsync("doc", """{"meta":{"title":"Plan"},"tasks":[1],"text":"Hello"}""");
        var before = await ReadAsync("doc");

        using var answer = await _host.SendAsync(HttpMethod.Patch, "/documents/doc", Encoding.UTF8.GetBytes(patch), type);

        Assert.Equal((status, code), (answer.StatusCode, await answer.CodeAsync()));
        Assert.Equal(before, await ReadAsync("doc"));
    }

    [Theory]
    [InlineData("""[{"insert":7}]""", "invalid_patch")]
    [InlineData("""[{"retain":0}]""", "invalid_patch")]
    [InlineData("""[{"delete":99}]""", "conflict")]
    [InlineData("""[{"insert":"x","attributes":[]}]""", "invalid_patch")]
    public async Task A_delta_that_does_not_fit_is_refused(string delta, string code)
    {
        await PutAsync("doc", """{"text":"Hello"}""");

        using var answer = await _host.SendAsync(HttpMethod.Patch, "/documents/doc?path=/text", Encoding.UTF8.GetBytes(delta), Delta);

        Assert.Equal(code, await answer.CodeAsync());
    }

    [Fact]
    public async Task Who_is_in_the_document_sees_a_patch_as_one_update_and_goes_on_beside_it()
    {
        await PutAsync("doc", """{"tasks":["one"],"text":"Hello"}""");
        var client = await _host.ConnectAsync("ben");
        var doc = new Doc();
        doc.ApplyV1((await client.JoinAsync("doc")).Update);

        await OkAsync(HttpMethod.Patch, "/documents/doc", """[{"op":"add","path":"/tasks/-","value":"two"},{"op":"replace","path":"/text","value":"Hello all"}]""", Patch);
        await client.UntilAsync(one => one.Updates.Count == 1);
        doc.ApplyV1(client.Updates.Single().Update);

        Assert.Equal("""["one","two"]""", doc.GetArray("tasks").ToJson().ToString());
        Assert.Equal("Hello all", doc.GetText("text").ToString());
    }

    [Fact]
    public async Task Writing_what_is_there_already_writes_nothing_and_what_has_changed_is_changed_in_its_place()
    {
        const string json = """{"meta":{"title":"Plan","list":[1,{"a":1},3]},"text":"Hello world"}""";
        var first = await PutAsync("doc", json);
        Assert.Equal(first, await PutAsync("doc", json));
        var client = await _host.ConnectAsync("ben");
        var doc = new Doc();
        doc.ApplyV1((await client.JoinAsync("doc")).Update);
        var (list, item) = (doc.GetMap("meta")["list"].AsType<YArray>(), doc.GetMap("meta")["list"].AsType<YArray>()[1].AsType<Map>());

        await PutAsync("doc", """{"meta":{"title":"Plan","list":[1,{"a":2},3,4]},"text":"Hello my world"}""");
        await client.UntilAsync(one => one.Updates.Count == 1);
        doc.ApplyV1(client.Updates.Single().Update);

        Assert.Same(list, doc.GetMap("meta")["list"].AsType<YArray>());
        Assert.Equal(2, item["a"].AsNumber());
        Assert.True(client.Updates.Single().Update.Length < 100);
    }

    [Fact]
    public async Task A_write_on_a_condition_is_done_only_when_that_holds()
    {
        var first = await PutAsync("doc", """{"text":"one"}""");
        using var exists = await SendAsync("doc", """{"text":"new"}""", ("If-None-Match", "*"));
        using var good = await SendAsync("doc", """{"text":"two"}""", ("If-Match", $"W/\"{first}\""));
        using var late = await SendAsync("doc", """{"text":"three"}""", ("If-Match", $"\"{first}\""));
        using var missing = await SendAsync("other", """{"text":"new"}""", ("If-Match", "*"));
        using var created = await SendAsync("other", """{"text":"new"}""", ("If-None-Match", "*"));
        using var odd = await SendAsync("doc", """{"text":"x"}""", ("If-None-Match", "\"x\""));

        Assert.Equal(
            [HttpStatusCode.PreconditionFailed, HttpStatusCode.OK, HttpStatusCode.PreconditionFailed, HttpStatusCode.PreconditionFailed, HttpStatusCode.OK, HttpStatusCode.BadRequest],
            new[] { exists, good, late, missing, created, odd }.Select(answer => answer.StatusCode));
        Assert.Equal("\"two\"", await ReadAsync("doc", "text"));
        Assert.Equal(ErrorCodes.PreconditionFailed, await late.CodeAsync());
    }

    [Fact]
    public async Task Of_many_conditional_writes_at_once_one_at_a_time_is_done()
    {
        await PutAsync("doc", """{"meta":{"count":0}}""");
        var done = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 5; i++)
            {
                while (true)
                {
                    using var read = await _host.GetAsync("/documents/doc");
                    var count = (await read.JsonAsync()).GetProperty("meta").GetProperty("count").GetInt32();
                    using var answer = await SendAsync("doc", $$$"""{"meta":{"count":{{{count + 1}}}}}""", ("If-Match", read.Headers.ETag!.ToString()));
                    if (answer.StatusCode == HttpStatusCode.OK)
                        break;
                    Assert.Equal(HttpStatusCode.PreconditionFailed, answer.StatusCode);
                }
                Interlocked.Increment(ref done);
            }
        })));

        Assert.Equal("40", await ReadAsync("doc", "meta.count"));
        Assert.Equal(40, done);
    }

    [Fact]
    public async Task Yjs_updates_are_added_by_POST_and_by_PUT()
    {
        var typist = new Typist(7);
        using var pushed = await _host.SendAsync(HttpMethod.Post, "/documents/acme%2Fdoc/updates", typist.Type("hello"), "application/octet-stream");
        using var put = await _host.SendAsync(HttpMethod.Put, "/documents/acme%2Fdoc", typist.Type(" world"), "application/octet-stream");
        using var bad = await _host.SendAsync(HttpMethod.Post, "/documents/acme%2Fdoc/updates", [1, 2, 3], "application/octet-stream");
        using var json = await _host.SendAsync(HttpMethod.Post, "/documents/acme%2Fdoc/updates", "{}"u8.ToArray());

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.BadRequest, HttpStatusCode.UnsupportedMediaType], new[] { pushed, put, bad, json }.Select(answer => answer.StatusCode));
        Assert.Equal(ErrorCodes.InvalidUpdate, await bad.CodeAsync());
        Assert.Equal("\"hello world\"", await ReadAsync("acme%2Fdoc", "t"));
        Assert.Equal((await put.JsonAsync()).GetProperty("position").GetString(), put.Headers.ETag!.Tag.Trim('"'));
    }

    [Fact]
    public async Task Who_may_only_read_cannot_write_and_names_and_sizes_are_checked()
    {
        var large = Encoding.UTF8.GetBytes($$"""{"text":"{{new string('x', 70_000)}}"}""");
        using var reader = await _host.SendAsync(HttpMethod.Put, "/documents/doc", "{}"u8.ToArray(), grants: CollabTestHost.ReadEverything);
        using var name = await _host.SendAsync(HttpMethod.Patch, "/documents/a%20b", "[]"u8.ToArray(), Patch);
        using var size = await _host.SendAsync(HttpMethod.Put, "/documents/doc", large);
        using var update = await _host.SendAsync(HttpMethod.Post, "/documents/doc/updates", new byte[70_000], "application/octet-stream");
        using var type = await _host.SendAsync(HttpMethod.Patch, "/documents/doc", "{}"u8.ToArray(), "text/plain");
        using var nested = await _host.SendAsync(HttpMethod.Put, "/documents/doc", Encoding.UTF8.GetBytes($$"""{"a":{{new string('[', 40)}}{{new string(']', 40)}}}"""));

        Assert.Equal(
            [HttpStatusCode.Forbidden, HttpStatusCode.BadRequest, HttpStatusCode.RequestEntityTooLarge, HttpStatusCode.RequestEntityTooLarge, HttpStatusCode.UnsupportedMediaType, HttpStatusCode.BadRequest],
            new[] { reader, name, size, update, type, nested }.Select(answer => answer.StatusCode));
        Assert.Equal(ErrorCodes.TooLarge, await size.CodeAsync());
        Assert.Equal(ErrorCodes.InvalidPatch, await nested.CodeAsync());
    }

    private async Task<string> PutAsync(string document, string json) => await OkAsync(HttpMethod.Put, $"/documents/{document}", json, "application/json");

    private Task<HttpResponseMessage> SendAsync(string document, string json, params (string Name, string Value)[] headers) =>
        _host.SendAsync(HttpMethod.Put, $"/documents/{document}", Encoding.UTF8.GetBytes(json), headers: headers);

    private async Task<string> OkAsync(HttpMethod method, string path, string body, string type)
    {
        using var answer = await _host.SendAsync(method, path, Encoding.UTF8.GetBytes(body), type);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return (await answer.JsonAsync()).GetProperty("position").GetString()!;
    }

    private async Task<string> ReadAsync(string document, string where = "")
    {
        using var answer = await _host.GetAsync($"/documents/{document}");
        var json = await answer.EnsureSuccessStatusCode().JsonAsync();
        foreach (var part in where.Split('.', StringSplitOptions.RemoveEmptyEntries))
            json = json.GetProperty(part);
        return json.GetRawText();
    }
}
