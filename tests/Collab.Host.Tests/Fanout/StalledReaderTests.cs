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
        // Compacting a document of 20 MB takes memory of its own, in a pause; here it is about what readers cost.
        await using var host = await HostProcess.Launch(folder.Path, settings:
        [
            ("Collab__Documents__CompactAfterBytes", "1000000000"), ("Collab__Documents__CompactAfterUpdates", "1000000"),
        ]).ReadyAsync();
        var hub = new Uri(host.Url + HubContract.Path);
        await WarmUpAsync(hub);

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

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Who_reads_again_in_time_catches_up_from_the_log(int transport)
    {
        using var folder = new TemporaryFolder();
        await using var host = await HostProcess.Launch(folder.Path, settings:
        [
            ("Collab__Fanout__OutboxBytes", "65536"),
            ("Collab__Fanout__WriteTimeoutMilliseconds", "60000"),
        ]).ReadyAsync();
        var hub = new Uri(host.Url + HubContract.Path);
        await using var members = new StalledReaders("late");
        await members.JoinAsync(hub, healthy: 1, stalled: 3);

        // More than the sockets and the outbox take in, and all of it pushed before the reader goes on; SignalR itself gives a stalled
        // transport five seconds.
        await members.PushAsync(hub, 6_000, UpdateBytes);
        await members.ResumeAsync(6_000, within: TimeSpan.FromSeconds(20));

        Assert.Equal("caught up", members.Outcomes[transport]);
    }

    /// <summary>What the server allocates only once, and compiles only once, is not what a stalled reader costs.</summary>
    private static async Task WarmUpAsync(Uri hub)
    {
        await using var members = new StalledReaders("warm-up");
        await members.JoinAsync(hub, healthy: 47, stalled: 0);
        await members.PushAsync(hub, 4_000, UpdateBytes);
    }
}
