using System.Text.Json;
using Collab.Crdt;
using Collab.Testing;

namespace Collab.Host.Tests.Moving;

/// <summary><c>export</c>: documents of the store as updates, JSON and text, in files and lines.</summary>
public sealed class ExportTests : IAsyncLifetime
{
    private static readonly string[] Ids = ["notes/one", "notes/one.1", "notes/one/two", "../../etc/passwd", "..", "a:b@c~d"];

    private readonly TemporaryFolder _folder = new();

    private string Data => Path.Combine(_folder.Path, "data");

    private string Out => Path.Combine(_folder.Path, "a", "b", "out");

    public async Task InitializeAsync()
    {
        var lines = Ids.Select((id, i) => ImportTests.LineOf(id, new Typist(1 + (ulong)i).Type($"text {i}")));
        Assert.Equal(0, (await HostCommand.RunAsync(string.Join('\n', lines), ["import", "-", "--data", Data])).Code);
    }

    public Task DisposeAsync()
    {
        _folder.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task What_was_exported_into_a_folder_is_the_same_when_it_is_imported_elsewhere()
    {
        var export = await HostCommand.RunAsync("export", "--all", "--to", Out, "--data", Data);
        var elsewhere = Path.Combine(_folder.Path, "elsewhere");
        var import = await HostCommand.RunAsync("import", Out, "--data", elsewhere);

        Assert.Equal((0, 0), (export.Code, import.Code));
        Assert.StartsWith("6 documents: 6 imported, 0 refused. ", import.Output, StringComparison.Ordinal);
        Assert.Equal(await UpdatesAsync(Data), await UpdatesAsync(elsewhere));
    }

    [Fact]
    public async Task No_id_leads_out_of_the_folder_and_each_has_a_file_of_its_own()
    {
        await HostCommand.RunAsync("export", "--all", "--to", Out, "--data", Data);

        var files = Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories).Where(file => !file.StartsWith(Data, StringComparison.Ordinal)).ToArray();
        Assert.Equal(Ids.Length, files.Length);
        Assert.All(files, file => Assert.StartsWith(Out + "/", file, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Lines_can_be_piped_from_one_server_to_another()
    {
        var export = await HostCommand.RunAsync("export", "--prefix", "notes/", "--data", Data);
        var elsewhere = Path.Combine(_folder.Path, "elsewhere");
        var import = await HostCommand.RunAsync(export.Output, ["import", "-", "--data", elsewhere]);

        Assert.StartsWith("3 documents: 3 imported, 0 refused. ", import.Output, StringComparison.Ordinal);
        Assert.StartsWith("3 documents: 3 written, 0 refused. ", export.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_document_can_be_had_as_an_update_of_either_version_as_JSON_and_as_text()
    {
        foreach (var format in (string[])["update", "update-v2", "json", "text"])
            Assert.Equal(0, (await HostCommand.RunAsync("export", "notes/one", "--format", format, "--to", Path.Combine(Out, format), "--data", Data)).Code);

        var update = File.ReadAllBytes(Path.Combine(Out, "update/notes/one.bin"));
        Assert.Equal(6u, new Typist(1).Read(update));
        Assert.Equal(update, Updates.ConvertV2ToV1(File.ReadAllBytes(Path.Combine(Out, "update-v2/notes/one.bin"))));
        Assert.Equal("""{"t":"text 0"}""", File.ReadAllText(Path.Combine(Out, "json/notes/one.json")));
        Assert.Equal("text 0", File.ReadAllText(Path.Combine(Out, "text/notes/one.txt")));
    }

    [Fact]
    public async Task Lines_of_JSON_have_the_content_as_it_is()
    {
        var export = await HostCommand.RunAsync("export", "notes/one", "--format", "json", "--data", Data);

        var line = JsonDocument.Parse(export.Output).RootElement;
        Assert.Equal(("notes/one", "text 0"), (line.GetProperty("id").GetString(), line.GetProperty("content").GetProperty("t").GetString()));
    }

    [Fact]
    public async Task What_is_not_there_and_what_is_no_text_is_said()
    {
        var unknown = await HostCommand.RunAsync("export", "nobody", "notes/one", "--data", Data);
        var noRoot = await HostCommand.RunAsync("export", "notes/one", "--format", "text", "--root", "x", "--data", Data);
        var unclear = await HostCommand.RunAsync("export", "--data", Data);
        var wrong = await HostCommand.RunAsync("export", "--all", "--format", "word", "--data", Data);

        Assert.Equal((2, 2, 1, 1), (unknown.Code, noRoot.Code, unclear.Code, wrong.Code));
        Assert.Contains("nobody: there is no such document", unknown.Errors, StringComparison.Ordinal);
        Assert.Contains("\"id\":\"notes/one\"", unknown.Output, StringComparison.Ordinal);
        Assert.Contains("it has no root x", noRoot.Errors, StringComparison.Ordinal);
        Assert.Contains("Say which documents", unclear.Errors, StringComparison.Ordinal);
    }

    private static async Task<IEnumerable<(string Id, string Update)>> UpdatesAsync(string data) =>
        (await HostCommand.RunAsync("export", "--all", "--data", data)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Select(line => (line.GetProperty("id").GetString()!, line.GetProperty("update").GetString()!));
}
