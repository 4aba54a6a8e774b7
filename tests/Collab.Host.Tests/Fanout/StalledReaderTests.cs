using Collab.Protocol;
using Collab.Testing;
using Collab.Testing.Readers;

namespace Collab.Host.Tests.Fanout;

/// <summary>
/// One who stops reading hurts nobody. The measure is shown to bite by <c>PlainGroupSendTests</c>: there the same burst freezes the
/// whole group for seconds.
/// </summary>
public sealed class StalledReaderTests
{
    private const int Updates = 20_000;
    private const int UpdateBytes = 1024;

    [Fact]
    public async Task Three_of_fifty_members_stop_reading_in_a_burst_and_the_others_do_not_notice()
    {
        // Fifty readers in this process shall not wait for its thread pool to grow.
        ThreadPool.SetMinThreads(32, 32);
        using var folder = new TemporaryFolder();
        await using var host = await HostProcess.Launch(folder.Path, settings: [("Logging__LogLevel__Collab.Documents", "Debug")]).ReadyAsync();
        var hub = new Uri(host.Url + HubContract.Path);
        await WarmUpAsync(hub);
        await UntilLoggedAsync(host, "Compacted document warm-up");

        await using var members = new StalledReaders("burst");
        await members.JoinAsync(hub, healthy: 47, stalled: 3);
        using var memory = new MemoryWatch(host.Id);
        await members.PushAsync(hub, Updates, UpdateBytes);
        var grown = memory.Stop();
        await members.ResumeAsync(Updates, within: TimeSpan.FromSeconds(10));

        var report = $"longest pause {members.LongestPause} ms, fewest received {members.FewestReceived}, memory grew by {grown >> 20} MB, "
            + $"the stalled ones: {string.Join(", ", members.Outcomes)}";
        Assert.True(members.FewestReceived == Updates, report);
        Assert.True(members.LongestPause <= 250, report);
        Assert.True(grown < 32 << 20, report);
        Assert.All(members.Outcomes, outcome => Assert.True(outcome is "caught up" or "closed", report));
    }

    [Fact]
    public async Task Who_reads_again_in_time_catches_up_from_the_log_over_every_transport()
    {
        using var folder = new TemporaryFolder();
        await using var host = await HostProcess.Launch(folder.Path, settings:
        [
            ("Collab__Fanout__OutboxBytes", "65536"),
            ("Collab__Fanout__WriteTimeoutMilliseconds", "60000"),
            ("Logging__LogLevel__Collab.Fanout", "Debug"),
        ]).ReadyAsync();
        var hub = new Uri(host.Url + HubContract.Path);
        await using var members = new StalledReaders("late");
        await members.JoinAsync(hub, healthy: 1, stalled: 3);

        // More than the sockets and the outbox take in, and all of it pushed before the readers go on; SignalR itself gives a stalled
        // transport five seconds.
        await members.PushAsync(hub, 6_000, UpdateBytes);
        await members.ResumeAsync(6_000, within: TimeSpan.FromSeconds(20));

        Assert.All(members.Outcomes, outcome => Assert.Equal("caught up", outcome));
        Assert.True(host.Lines.Count(line => line.Contains("fell behind", StringComparison.Ordinal)) >= 3);
    }

    /// <summary>What the server allocates only once, and compiles only once, is not what a stalled reader costs.</summary>
    private static async Task WarmUpAsync(Uri hub)
    {
        await using var members = new StalledReaders("warm-up");
        await members.JoinAsync(hub, healthy: 47, stalled: 0);
        await members.PushAsync(hub, 4_000, UpdateBytes);
    }

    private static async Task UntilLoggedAsync(HostProcess host, string text)
    {
        var deadline = DateTime.UtcNow.AddSeconds(30);
        while (!host.Lines.Any(line => line.Contains(text, StringComparison.Ordinal)))
        {
            Assert.True(DateTime.UtcNow < deadline, $"the server did not log \"{text}\"");
            await Task.Delay(20);
        }
    }
}
