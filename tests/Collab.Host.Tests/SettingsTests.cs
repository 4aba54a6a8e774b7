using Collab.Testing;

namespace Collab.Host.Tests;

/// <summary>Settings come from appsettings, the environment and the command line; the later of these wins.</summary>
public sealed class SettingsTests : IDisposable
{
    private const string FromFile = """{ "Collab": { "Documents": { "MaxUpdateBytes": 4000 } } }""";

    private static readonly (string, string) FromEnvironment = ("Collab__Documents__MaxUpdateBytes", "3000");

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_setting_in_appsettings_is_taken() =>
        Assert.Equal(4000, await LimitAsync([], []));

    [Fact]
    public async Task The_environment_wins_over_appsettings() =>
        Assert.Equal(3000, await LimitAsync([FromEnvironment], []));

    [Fact]
    public async Task The_command_line_wins_over_the_environment() =>
        Assert.Equal(2000, await LimitAsync([FromEnvironment], ["--Collab:Documents:MaxUpdateBytes=2000"]));

    /// <summary>Which of the limits 1000, 2000, … 5000 bytes a server applies that was installed with the settings file of this test.</summary>
    private async Task<int> LimitAsync((string, string)[] environment, string[] arguments)
    {
        await using var host = await HostProcess.Launch(
            Path.Combine(_folder.Path, "data"), settings: environment, arguments: arguments, program: Install()).ReadyAsync();
        var client = await host.ConnectAsync();
        await client.JoinAsync("d");
        var limit = 0;
        while (limit < 5000 && await TestClient.CodeOfAsync(client.PushAsync("d", UpdateOf(limit + 1000))) == "no error")
            limit += 1000;
        Assert.Equal("too_large", await TestClient.CodeOfAsync(client.PushAsync("d", UpdateOf(limit + 1))));
        return limit;
    }

    /// <summary>Copies the program, as its settings file lies beside it.</summary>
    private string Install()
    {
        var folder = Path.Combine(_folder.Path, "program");
        Copy(Path.GetDirectoryName(HostProcess.Program)!, folder);
        File.WriteAllText(Path.Combine(folder, "appsettings.json"), FromFile);
        return Path.Combine(folder, Path.GetFileName(HostProcess.Program));
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        foreach (var folder in Directory.GetDirectories(from))
            Copy(folder, Path.Combine(to, Path.GetFileName(folder)));
    }

    private static byte[] UpdateOf(int bytes)
    {
        const int Framing = 11;
        var update = new Typist(1).Type(new string('x', bytes - Framing));
        Assert.Equal(bytes, update.Length);
        return update;
    }
}
