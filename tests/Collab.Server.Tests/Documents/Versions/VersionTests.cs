using System.Net;
using System.Text;
using System.Text.Json;
using Collab.Crdt;
using Collab.Protocol;
using Collab.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Documents.Versions;

/// <summary>Versions show what a document was, who wrote what since, and bring it back as a new edit.</summary>
public sealed class VersionTests : IAsyncLifetime
{
    private CollabTestHost _host = null!;

    private IDocumentClient Documents => _host.Services.GetRequiredService<IDocumentClient>();

    public async Task InitializeAsync() => _host = await CollabTestHost.StartAsync(
    [
        ("Collab:Documents:CompactAfterUpdates", "5"), ("Collab:Documents:CompactPauseMilliseconds", "0"), ("Collab:Documents:BeatMilliseconds", "0"),
        ("Collab:Versions:EveryUpdates", "1000000"),
    ]);

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task A_version_shows_what_was_deleted_and_compacted_since()
    {
        await TypeAsync("ada", "first text");
        var first = await CreateAsync("first");
        await EditAsync("ada", doc => doc.GetText("text").Delete(0, 6));
        var second = await CreateAsync(null);
        for (var i = 0; i < 20; i++)
            await TypeAsync("ben", "x");

        Assert.Equal("""{"text":"first text"}""", await ReadAsync($"versions/{first}"));
        Assert.Equal("""{"text":"text"}""", await ReadAsync($"versions/{second}"));
        using var update = await _host.GetAsync($"/documents/doc/versions/{first}", "application/octet-stream");
        var doc = new Doc();
        doc.ApplyV1(await update.Content.ReadAsByteArrayAsync());
        Assert.Equal("first text", doc.GetText("text").ToString());
    }

    [Fact]
    public async Task Versions_are_listed_named_and_taken_away()
    {
        await TypeAsync("ada", "a");
        var first = await CreateAsync("Draft");
        await TypeAsync("ben", "b");
        var second = await CreateAsync(null);

        var versions = (await ListAsync()).EnumerateArray().ToArray();
        Assert.Equal([second, first], versions.Select(version => version.GetProperty("id").GetString()));
        Assert.Equal(("Draft", "ada"), (versions[1].GetProperty("name").GetString(), versions[1].GetProperty("createdBy").GetString()));
        Assert.Equal("""["ben"]""", versions[0].GetProperty("authors").GetRawText());
        Assert.False(versions[0].GetProperty("isAutomatic").GetBoolean());

        using var named = await _host.SendAsync(HttpMethod.Patch, $"/documents/doc/versions/{second}", """{"name":"Final"}"""u8.ToArray());
        using var gone = await _host.SendAsync(HttpMethod.Delete, $"/documents/doc/versions/{first}");
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.NoContent], new[] { named, gone }.Select(answer => answer.StatusCode));

        Assert.Equal("Final", (await ListAsync()).EnumerateArray().Single().GetProperty("name").GetString());
        using var missing = await _host.GetAsync($"/documents/doc/versions/{first}");
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        Assert.Equal("""{"text":"ab"}""", await ReadAsync($"versions/{second}"));
    }

    [Fact]
    public async Task The_changes_say_who_wrote_what()
    {
        await TypeAsync("ada", "Hello world");
        await EditAsync("ada", doc => doc.GetMap("meta").Set("title", "old"));
        var first = await CreateAsync(null);
        await EditAsync("ben", doc =>
        {
            doc.GetText("text").Insert(5, " dear");
            doc.GetMap("meta").Set("title", "new");
        });
        await EditAsync("eve", doc => doc.GetText("text").Delete(0, 1));
        await EditAsync("eve", doc => doc.GetText("text").Insert(0, "J"));
        var second = await CreateAsync(null);

        var changes = JsonElement.Parse(await ReadAsync($"versions/{second}/changes?from={first}"));
        Assert.Equal(
            """[{"text":"H","change":"removed","author":"ada"},{"text":"J","change":"added","author":"eve"},{"text":"ello","change":null,"author":null},{"text":" dear","change":"added","author":"ben"},{"text":" world\n","change":null,"author":null}]""",
            changes.GetProperty("texts").GetProperty("text").GetRawText());
        Assert.Equal("""[{"path":"/meta/title","value":"new"}]""", changes.GetProperty("places").GetRawText());
        using var html = await _host.GetAsync($"/documents/doc/versions/{second}/changes?from={first}&root=text", "text/html");
        Assert.Equal(
            "<p><del data-author=\"ada\">H</del><ins data-author=\"eve\">J</ins>ello<ins data-author=\"ben\"> dear</ins> world</p>",
            await html.Content.ReadAsStringAsync());

        var all = JsonElement.Parse(await ReadAsync($"versions/{first}/changes"));
        Assert.Equal("""[{"text":"Hello world","change":"added","author":"ada"},{"text":"\n","change":null,"author":null}]""", all.GetProperty("texts").GetProperty("text").GetRawText());
    }

    [Fact]
    public async Task Rich_text_shows_blocks_that_came_and_went()
    {
        await EditAsync("ada", doc => Paragraphs(doc, "one", "two", "three"));
        var first = await CreateAsync(null);
        await EditAsync("ben", doc =>
        {
            doc.GetXmlFragment("default").Delete(1);
            ((XmlText)((XmlElement)doc.GetXmlFragment("default")[0]!).FirstChild!).Insert(3, "!");
        });
        await EditAsync("ben", doc => Paragraphs(doc, "four"));
        var second = await CreateAsync(null);

        using var html = await _host.GetAsync($"/documents/doc/versions/{second}/changes?from={first}", "text/html");

        Assert.Equal(
            "<p>one<ins data-author=\"ben\">!</ins></p><del><p><del data-author=\"ada\">two</del></p></del><p>three</p><ins><p><ins data-author=\"ben\">four</ins></p></ins>",
            await html.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Who_typed_what_is_as_it_was_typed()
    {
        string[] users = ["ada", "ben", "eve"];
        var random = new Random(4);
        // Each character comes once, so that the record says whose it is.
        var record = new Dictionary<char, string>();
        var next = '\u4E00';
        var text = "";
        var previous = (Id: (string?)null, Text: "");
        for (var round = 0; round < 6; round++)
        {
            for (var i = 0; i < 40; i++)
            {
                var user = users[random.Next(users.Length)];
                if (random.Next(4) == 0 && text.Length > 3)
                {
                    var at = random.Next(text.Length - 2);
                    await EditAsync(user, doc => doc.GetText("text").Delete(at, 2));
                    text = text.Remove(at, 2);
                }
                else
                {
                    var at = random.Next(text.Length + 1);
                    var letter = next++;
                    record[letter] = user;
                    await EditAsync(user, doc => doc.GetText("text").Insert(at, letter.ToString()));
                    text = text.Insert(at, letter.ToString());
                }
            }
            var version = await CreateAsync(null);
            var changes = JsonElement.Parse(await ReadAsync($"versions/{version}/changes{(previous.Id is null ? "" : $"?from={previous.Id}")}"));
            var runs = changes.GetProperty("texts").GetProperty("text").EnumerateArray().ToArray();

            Assert.Equal(text, TextOf(runs, "removed"));
            Assert.Equal(previous.Text, TextOf(runs, "added"));
            foreach (var run in runs.Where(run => run.GetProperty("change").ValueKind == JsonValueKind.String))
                Assert.All(run.GetProperty("text").GetString()!, letter => Assert.Equal(record[letter], run.GetProperty("author").GetString()));
            previous = (version, text);
        }

        static string TextOf(JsonElement[] runs, string without) => string.Concat(runs
            .Where(run => run.GetProperty("change").GetString() != without).Select(run => run.GetProperty("text").GetString())).TrimEnd('\n');
    }

    [Fact]
    public async Task A_version_is_restored_as_a_new_edit_while_others_type()
    {
        await EditAsync("ada", doc =>
        {
            Paragraphs(doc, "one", "two");
            doc.GetText("text").Insert(0, "bold", new Dictionary<string, Any> { ["bold"] = true });
            doc.GetMap("meta").Set("nested", new Map([KeyValuePair.Create("list", (Any)new YArray(1, 2))]));
        });
        var version = await CreateAsync(null);
        var before = await ReadAsync("");
        await EditAsync("ben", doc =>
        {
            doc.GetXmlFragment("default").Delete(0);
            Paragraphs(doc, "later");
            doc.GetText("text").Format(0, 4, new Dictionary<string, Any> { ["bold"] = Any.Null });
            doc.GetText("text").Insert(4, " more");
            doc.GetMap("meta").Set("nested", 5);
        });
        var client = await _host.ConnectAsync("eve");
        var joined = await client.JoinAsync("doc");
        var typist = new Typist(99);
        var typed = 0;
        var began = new TaskCompletionSource();
        var isRestored = false;
        var typing = Task.Run(async () =>
        {
            for (var later = 0; later < 20;)
            {
                later += Volatile.Read(ref isRestored) ? 1 : 0;
                await client.PushAsync("doc", typist.Type("x"));
                if (++typed == 20)
                    began.SetResult();
            }
        });
        await began.Task;

        using var restored = await _host.SendAsync(HttpMethod.Post, $"/documents/doc/versions/{version}/restore");
        Volatile.Write(ref isRestored, true);
        await typing;

        Assert.Equal(HttpStatusCode.OK, restored.StatusCode);
        var after = JsonElement.Parse(await ReadAsync(""));
        // What was typed until the edit is not of the version; what is typed later stays.
        Assert.InRange(after.GetProperty("t").GetString()!.Length, 20, typed - 20);
        foreach (var root in JsonElement.Parse(before).EnumerateObject())
            Assert.Equal(root.Value.GetRawText(), after.GetProperty(root.Name).GetRawText());
        Assert.Equal("""[{"insert":"bold","attributes":{"bold":true}}]""", await Documents.ReadAsync("doc", doc => $"[{string.Join(',', doc.GetText("text").ToDelta())}]"));
        // What was there before is a version, and those inside have the same as the server.
        var newest = (await ListAsync())[0].GetProperty("id").GetString();
        Assert.Contains("later", JsonElement.Parse(await ReadAsync($"versions/{newest}")).GetProperty("default").GetString());
        var mine = new Doc();
        mine.ApplyV1(joined.Update);
        mine.ApplyV1((await client.SyncAsync("doc", mine.StateVectorV1())).Update);
        Assert.Equal(after.GetProperty("default").GetString(), mine.GetXmlFragment("default").ToString());
    }

    [Fact]
    public async Task Who_may_not_write_makes_and_restores_none_and_who_may_not_read_sees_none()
    {
        await TypeAsync("ada", "a");
        var version = await CreateAsync(null);

        using var create = await _host.SendAsync(HttpMethod.Post, "/documents/doc/versions", grants: CollabTestHost.ReadEverything);
        using var restore = await _host.SendAsync(HttpMethod.Post, $"/documents/doc/versions/{version}/restore", grants: CollabTestHost.ReadEverything);
        using var list = await _host.GetAsync("/documents/doc/versions", grants: "[]");
        using var changes = await _host.GetAsync($"/documents/doc/versions/{version}/changes", grants: "[]");
        using var empty = await _host.SendAsync(HttpMethod.Post, "/documents/none/versions");
        using var name = await _host.SendAsync(HttpMethod.Post, "/documents/doc/versions", """{"name":""}"""u8.ToArray());
        using var other = await _host.GetAsync($"/documents/doc/versions/{version}/changes?from=nothing");

        Assert.Equal([403, 403, 403, 403, 404, 400, 404], new[] { create, restore, list, changes, empty, name, other }.Select(answer => (int)answer.StatusCode));
    }

    [Fact]
    public async Task A_version_that_is_too_large_to_build_can_be_had_as_an_update()
    {
        await using var host = await CollabTestHost.StartAsync([("Collab:Documents:MaxBuiltBytes", "1000")]);
        var client = await host.ConnectAsync();
        await client.JoinAsync("doc");
        await client.PushAsync("doc", new Typist(1).Type(new string('x', 2_000)));
        using var created = await host.SendAsync(HttpMethod.Post, "/documents/doc/versions");
        var version = (await created.JsonAsync()).GetProperty("id").GetString();

        using var json = await host.GetAsync($"/documents/doc/versions/{version}");
        using var changes = await host.GetAsync($"/documents/doc/versions/{version}/changes");
        using var update = await host.GetAsync($"/documents/doc/versions/{version}", "application/octet-stream");

        Assert.Equal([413, 413, 200], new[] { json, changes, update }.Select(answer => (int)answer.StatusCode));
    }

    [Fact]
    public async Task A_deleted_document_leaves_no_versions()
    {
        await TypeAsync("ada", "a");
        await CreateAsync("kept");

        await Documents.DeleteAsync("doc");
        await TypeAsync("ada", "b");

        Assert.Equal(0, (await ListAsync()).GetArrayLength());
    }

    private static void Paragraphs(Doc doc, params string[] texts)
    {
        foreach (var text in texts)
        {
            var paragraph = new XmlElement("paragraph");
            doc.GetXmlFragment("default").Push(paragraph);
            paragraph.Push(new XmlText(text));
        }
    }

    private Task<string> TypeAsync(string user, string text) => EditAsync(user, doc => doc.GetText("text").Insert(doc.GetText("text").Length, text));

    private Task<string> EditAsync(string user, Action<Doc> edit) => Documents.EditAsync("doc", edit, new DocumentEditOptions { UserId = user });

    private async Task<string> CreateAsync(string? name)
    {
        using var answer = await _host.SendAsync(
            HttpMethod.Post, "/documents/doc/versions", name is null ? null : Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new { name })));
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (await answer.JsonAsync()).GetProperty("id").GetString()!;
    }

    private async Task<JsonElement> ListAsync() => JsonElement.Parse(await ReadAsync("versions")).GetProperty("versions");

    private async Task<string> ReadAsync(string path)
    {
        using var answer = await _host.GetAsync($"/documents/doc/{path}".TrimEnd('/'));
        return await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
    }
}
