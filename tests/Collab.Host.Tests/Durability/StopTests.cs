using System.Diagnostics;
using Collab.Testing;

namespace Collab.Host.Tests.Durability;

/// <summary>A stop by SIGTERM under traffic is clean: soon over, nothing lost, connections closed in good order.</summary>
public sealed class StopTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private HostProcess? _host;
    private Traffic? _traffic;

    public async Task InitializeAsync()
    {
        _host = await HostProcess.Launch(_folder.Path).ReadyAsync();
        _traffic = await Traffic.StartAsync(_host);
        await _traffic.UntilAcknowledgedAsync(200);
    }

    public async Task DisposeAsync()
    {
        await _host!.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task It_ends_with_code_0_within_seconds()
    {
        var started = Stopwatch.StartNew();

        Assert.Equal(0, await _host!.TerminateAsync());

        Assert.InRange(started.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task What_was_acknowledged_is_there_after_a_restart()
    {
        await _host!.TerminateAsync();
        await _traffic!.EndedAsync();

        await using var again = await HostProcess.Launch(_folder.Path).ReadyAsync();

        await Traffic.AssertKeptAsync(again, _traffic);
    }

    [Fact]
    public async Task Connections_are_closed_and_not_broken()
    {
        await _host!.TerminateAsync();
        await _traffic!.EndedAsync();

        Assert.All(_traffic.Clients, client => Assert.Null(client.ClosedBy));
    }

    [Fact]
    public async Task It_says_nothing_of_errors()
    {
        await _host!.TerminateAsync();

        Assert.DoesNotContain(_host.Lines, line => line.StartsWith("fail:", StringComparison.Ordinal) || line.StartsWith("crit:", StringComparison.Ordinal));
    }
}
