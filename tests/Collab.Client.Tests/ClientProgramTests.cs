using Collab.Protocol;
using Collab.Testing;
using Collab.Testing.Proxies;

namespace Collab.Client.Tests;

/// <summary>The client in a program of its own: it survives being killed, and works without a just-in-time compiler.</summary>
public sealed class ClientProgramTests(ClientServer server) : IClassFixture<ClientServer>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_a_killed_program_had_not_sent_arrives_when_it_is_started_again()
    {
        var name = ClientServer.NewName();
        await using var network = new TcpRelay(TcpRelay.FreePort());
        string[] arguments = [network.Url + HubContract.Path, ClientServer.TokenOf("ada"), name, _folder.Path];
        using (var offline = await ClientProgram.StartAsync(null, arguments))
        {
            Assert.Equal("one ", await offline.AskAsync("type one "));
            Assert.Equal("one two", await offline.AskAsync("type two"));
            await offline.KillAsync();
        }

        network.Target = new Uri(server.Url).Port;
        using var online = await ClientProgram.StartAsync(null, arguments);

        Assert.Equal("one two", await online.AskAsync("sync"));
        await using var other = server.Connect("ben");
        var theirs = other.OpenDocument(name);
        await theirs.WhenSyncedAsync().SoonAsync();
        Assert.Equal("one two", theirs.Read(doc => doc.GetText("text").ToString()));
        Assert.Equal(0, await online.EndAsync());
    }

    [Fact]
    public async Task It_runs_as_a_native_program_over_either_protocol()
    {
        using var build = new NativeBuild();
        // Without a toolchain the managed program stands in, whose analyzers have nothing to say.
        var native = await build.CompileAsync("Collab.Client.Program");
        foreach (var protocol in new[] { "messagepack", "json" })
        {
            using var program = await ClientProgram.StartAsync(
                native, server.Url + HubContract.Path, ClientServer.TokenOf("ada"), ClientServer.NewName(), _folder.Path, protocol);

            Assert.Equal("native", await program.AskAsync("type native"));
            Assert.Equal("native", await program.AskAsync("sync"));
            Assert.True(Position.TryParse(await program.AskAsync("say hello"), out _));
            Assert.Equal(0, await program.EndAsync());
        }
    }
}
