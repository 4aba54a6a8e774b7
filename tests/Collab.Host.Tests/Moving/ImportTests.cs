using System.Text.Json;
using Collab.Crdt;
using Collab.Testing;
using Microsoft.Data.Sqlite;

namespace Collab.Host.Tests.Moving;

/// <summary><c>import</c>: documents of other servers come into the store, whole, once, and each by its name.</summary>
public sealed class ImportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Data => Path.Combine(_folder.Path, "data");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_database_of_a_Hocuspocus_server_is_served_afterwards()
    {
        var typists = Enumerable.Range(1, 3).Select(i => new Typist((ulong)i)).ToArray();
        var database = WriteHocuspocus(typists.Select((typist, i) => ($"notes/{i}", typist.Type($"text {i}"))));

        var import = await HostCommand.RunAsync("import", database, "--data", Data);

        Assert.Equal((0, "3 documents: 3 imported, 0 refused. "), (import.Code, import.Output[..36]));
        await using var host = await HostProcess.Launch(Data).ReadyAsync();
        var client = await host.ConnectAsync();
        for (var i = 0; i < 3; i++)
            Assert.Equal(6u, typists[i].Read((await client.JoinAsync($"notes/{i}")).Update));
    }

    [Fact]
    public async Task A_dry_run_says_the_same_and_writes_nothing()
    {
        var database = WriteHocuspocus([("one", new Typist(1).Type("text")), ("no name", new Typist(1).Type("text"))]);

        var import = await HostCommand.RunAsync("import", database, "--data", Data, "--dry-run");

        Assert.Equal(2, import.Code);
        Assert.StartsWith("2 documents: would be 1 imported, 1 refused. ", import.Output, StringComparison.Ordinal);
        Assert.Contains("nothing was written", import.Output, StringComparison.Ordinal);
        Assert.Equal("", (await HostCommand.RunAsync("export", "--all", "--data", Data)).Output);
    }

    [Fact]
    public async Task What_was_killed_goes_on_where_it_was_and_nothing_is_there_twice()
    {
        const int Count = 20_000;
        var database = WriteHocuspocus(Enumerable.Range(0, Count).Select(i => ($"doc/{i:d5}", new Typist(1 + (ulong)i).Type("text"))));
        using (var import = HostCommand.Start("import", database, "--data", Data))
        {
            var log = new FileInfo(Path.Combine(Data, "collab.db-wal"));
            while (!log.Exists || log.Length < 200_000)
            {
                await Task.Delay(1);
                log.Refresh();
            }

            import.Kill();
            await import.WaitForExitAsync();
        }

        var again = await HostCommand.RunAsync("import", database, "--data", Data);
        var third = await HostCommand.RunAsync("import", database, "--data", Data);
        var lines = (await HostCommand.RunAsync("export", "--all", "--data", Data)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(0, again.Code);
        Assert.Contains("there already", again.Output, StringComparison.Ordinal);
        Assert.Contains("imported", again.Output, StringComparison.Ordinal);
        Assert.StartsWith("20,000 documents: 20,000 there already, 0 refused. ", third.Output, StringComparison.Ordinal);
        Assert.Equal(Count, lines.Length);
        Assert.All(lines, line => Assert.EndsWith("-1", JsonDocument.Parse(line).RootElement.GetProperty("position").GetString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_folder_of_files_is_read_by_their_names_and_several_updates_of_one_in_their_order()
    {
        var (one, two) = (new Typist(1), new Typist(2));
        Write("in/notes/one.1.bin", one.Type("first "));
        Write("in/notes/one.2.bin", one.Type("second "));
        Write("in/notes/one.10.bin", one.Type("third"));
        Write("in/team%3Atwo%2E1.bin", two.Type("other"));
        Write("in/read.me", [1, 2, 3]);

        var import = await HostCommand.RunAsync("import", Path.Combine(_folder.Path, "in"), "--prefix", "old/", "--data", Data);
        var texts = (await HostCommand.RunAsync("export", "--all", "--format", "text", "--data", Data)).Output;

        Assert.Equal((0, "2 documents: 2 imported, 0 refused. "), (import.Code, import.Output[..36]));
        Assert.Contains("""{"id":"old/notes/one",""", texts, StringComparison.Ordinal);
        Assert.Contains("\"text\":\"first second third\"", texts, StringComparison.Ordinal);
        Assert.Contains("""{"id":"old/team:two.1",""", texts, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_of_standard_input_are_taken_one_by_one_and_what_is_wrong_with_some_is_said()
    {
        var typist = new Typist(1);
        string[] lines =
        [
            LineOf("a", typist.Type("one ")),
            LineOf("a", typist.Type("two")),
            "",
            "no json",
            """{ "id": "b" }""",
            LineOf("has spaces", [1, 2]),
            LineOf("damaged", [1, 2, 3]),
            LineOf("empty", [0, 0]),
        ];

        var import = await HostCommand.RunAsync(string.Join('\n', lines), ["import", "-", "--data", Data]);
        var text = await HostCommand.RunAsync("export", "a", "--format", "text", "--data", Data);

        Assert.Equal(2, import.Code);
        Assert.StartsWith("7 documents: ", import.Output, StringComparison.Ordinal);
        Assert.Contains("1 empty, 4 refused", import.Output, StringComparison.Ordinal);
        foreach (var refused in (string[])["line 4: it is no JSON object", "line 5: it is no JSON object", "has spaces: a document id is", "damaged: its update is damaged"])
            Assert.Contains(refused, import.Output, StringComparison.Ordinal);
        Assert.Contains("\"text\":\"one two\"", text.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_file_is_a_document_of_the_id_that_is_given_and_may_be_of_version_2()
    {
        Write("one.update", Updates.ConvertV1ToV2(new Typist(1).Type("text")));
        var file = Path.Combine(_folder.Path, "one.update");

        var unnamed = await HostCommand.RunAsync("import", file, "--data", Data);
        var ofVersion1 = await HostCommand.RunAsync("import", file, "--id", "one", "--data", Data);
        var import = await HostCommand.RunAsync("import", file, "--id", "one", "--v2", "--data", Data);
        var text = await HostCommand.RunAsync("export", "one", "--format", "text", "--data", Data);

        Assert.Equal((1, 2, 0), (unnamed.Code, ofVersion1.Code, import.Code));
        Assert.Contains("--id", unnamed.Errors, StringComparison.Ordinal);
        Assert.Contains("\"text\":\"text\"", text.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_document_has_already_is_kept_and_what_it_lacks_is_added()
    {
        var (typist, other) = (new Typist(1), new Typist(2));
        await HostCommand.RunAsync(LineOf("d", typist.Type("old")), ["import", "-", "--data", Data]);
        await using (var host = await HostProcess.Launch(Data).ReadyAsync())
        {
            var client = await host.ConnectAsync();
            await client.JoinAsync("d");
            await client.PushAsync("d", other.Type("edited here"));
        }

        var import = await HostCommand.RunAsync(LineOf("d", typist.Type("er")), ["import", "-", "--data", Data]);
        var update = await HostCommand.RunAsync("export", "d", "--data", Data);

        Assert.StartsWith("1 document: 1 merged into documents that are there, 0 refused. ", import.Output, StringComparison.Ordinal);
        var bytes = JsonDocument.Parse(update.Output).RootElement.GetProperty("update").GetBytesFromBase64();
        Assert.Equal((5u, 11u), (typist.Read(bytes), other.Read(bytes)));
    }

    [Fact]
    public async Task What_cannot_be_read_at_all_is_said_in_a_sentence()
    {
        Write("other.db", "SQLite format 3\0 and then something else"u8.ToArray());

        var missing = await HostCommand.RunAsync("import", Path.Combine(_folder.Path, "nothing"), "--data", Data);
        var other = await HostCommand.RunAsync("import", Path.Combine(_folder.Path, "other.db"), "--data", Data);
        var unclear = await HostCommand.RunAsync("import");

        Assert.Equal((1, 1, 1), (missing.Code, other.Code, unclear.Code));
        Assert.Contains("Could not find file", missing.Errors, StringComparison.Ordinal);
        Assert.Contains("is not a database of @hocuspocus/extension-sqlite", other.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", missing.Errors + other.Errors + unclear.Errors, StringComparison.Ordinal);
    }

    internal static string LineOf(string id, byte[] update) => JsonSerializer.Serialize(new { id, update });

    private void Write(string path, byte[] bytes)
    {
        var file = Path.Combine(_folder.Path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(file, bytes);
    }

    /// <summary>A database as <c>@hocuspocus/extension-sqlite</c> 4.7 makes it.</summary>
    private string WriteHocuspocus(IEnumerable<(string Name, byte[] Data)> documents)
    {
        var file = Path.Combine(_folder.Path, "hocuspocus.sqlite");
        using var database = new SqliteConnection($"Data Source={file};Pooling=False");
        database.Open();
        using var create = database.CreateCommand();
        create.CommandText = """CREATE TABLE IF NOT EXISTS "documents" ("name" varchar(255) NOT NULL, "data" blob NOT NULL, UNIQUE(name))""";
        create.ExecuteNonQuery();
        using var transaction = database.BeginTransaction();
        foreach (var (name, data) in documents)
        {
            using var insert = database.CreateCommand();
            insert.CommandText = """INSERT INTO "documents" ("name", "data") VALUES ($name, $data)""";
            insert.Parameters.AddWithValue("$name", name);
            insert.Parameters.AddWithValue("$data", data);
            insert.ExecuteNonQuery();
        }

        transaction.Commit();
        return file;
    }
}
