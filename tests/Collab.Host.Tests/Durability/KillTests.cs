using Collab.Testing;

namespace Collab.Host.Tests.Durability;

/// <summary>An acknowledged update is durable: the server is killed with SIGKILL while writers of all transports are at work.</summary>
public sealed class KillTests
{
    [Fact]
    public async Task What_was_acknowledged_before_a_kill_is_there_after_a_restart()
    {
        using var folder = new TemporaryFolder();
        var rounds = Environment.GetEnvironmentVariable("COLLAB_LONG") == "1" ? 100 : 5;
        var random = new Random();
        var past = new List<Traffic>();
        var compactions = 0;
        for (var round = 0; round < rounds; round++)
        {
            // So few updates that compaction runs all the time, and that kills meet it.
            await using var host = await HostProcess.Launch(
                folder.Path,
                arguments: ["--Collab:Documents:CompactAfterUpdates=20", "--Collab:Documents:CompactPauseMilliseconds=0", "--Logging:LogLevel:Collab.Documents=Debug"]).ReadyAsync();
            await Traffic.AssertKeptAsync(host, past);

            var traffic = await Traffic.StartAsync(host);
            await traffic.UntilAcknowledgedAsync(random.Next(100, 1000));
            await host.KillAsync();

            await traffic.EndedAsync();
            past.Add(traffic);
            compactions += host.Lines.Count(line => line.Contains("Compacted document", StringComparison.Ordinal));
        }

        await using var last = await HostProcess.Launch(folder.Path).ReadyAsync();
        await Traffic.AssertKeptAsync(last, past);
        Assert.True(compactions > rounds, "compaction must have run in these rounds");
    }
}
