using System.Net;
using System.Security.Cryptography;
using Collab.Testing;
using Microsoft.Data.Sqlite;

namespace Collab.Host.Tests.Operations;

/// <summary>
/// <c>/health/ready</c> is 200 only while joins and pushes succeed; while the store cannot be used they are refused with
/// <c>unavailable</c>, nothing is lost or made up, and all goes on by itself afterwards.
/// </summary>
public sealed class HealthTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string DatabaseFile => Path.Combine(_folder.Path, "collab.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_is_not_ready_while_the_database_is_locked_and_recovers_by_itself()
    {
        await using var host = await LaunchAsync();

        using (Lock())
        {
            await host.UntilHealthAsync("ready", HttpStatusCode.ServiceUnavailable);
            Assert.Equal(HttpStatusCode.OK, await host.HealthAsync("live"));
        }

        await host.UntilHealthAsync("ready", HttpStatusCode.OK);
    }

    [Fact]
    public async Task Pushes_are_refused_while_the_database_is_locked_and_reach_nobody()
    {
        await using var host = await LaunchAsync();
        var (writer, witness) = (await host.ConnectAsync(), await host.ConnectAsync());
        await writer.JoinAsync("d");
        await witness.JoinAsync("d");
        Typist refused = new(1), accepted = new(2);

        using (Lock())
            Assert.Equal("unavailable", await TestClient.CodeOfAsync(writer.PushAsync("d", refused.Type("lost"))));
        await host.UntilHealthAsync("ready", HttpStatusCode.OK);
        await writer.PushAsync("d", accepted.Type("kept"));

        await witness.UntilReadAsync(accepted, 4);
        Assert.Equal(0u, refused.Read([.. witness.Updates.Select(update => (ReadOnlyMemory<byte>)update.Update)]));
        var late = await (await host.ConnectAsync()).JoinAsync("d");
        Assert.Equal((0u, 4u), (refused.Read(late.Update), accepted.Read(late.Update)));
    }

    [Fact]
    public async Task A_damaged_database_is_neither_served_nor_replaced()
    {
        await using (var before = await LaunchAsync())
        {
            var client = await before.ConnectAsync();
            await client.JoinAsync("d");
            await client.PushAsync("d", new Typist(1).Type("hello"));
            await before.TerminateAsync();
        }

        var garbage = RandomNumberGenerator.GetBytes((int)new FileInfo(DatabaseFile).Length);
        await File.WriteAllBytesAsync(DatabaseFile, garbage);

        await using var host = await HostProcess.Launch(_folder.Path).ListeningAsync();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await host.HealthAsync("ready"));
        Assert.Equal(HttpStatusCode.OK, await host.HealthAsync("live"));
        Assert.Equal("unavailable", await TestClient.CodeOfAsync((await host.ConnectAsync()).JoinAsync("d")));
        Assert.Equal("unavailable", await TestClient.CodeOfAsync((await host.ConnectAsync()).JoinAsync("new")));
        await host.TerminateAsync();
        Assert.Equal(garbage, await File.ReadAllBytesAsync(DatabaseFile));
    }

    private Task<HostProcess> LaunchAsync() =>
        HostProcess.Launch(_folder.Path, settings: [("Collab__Sqlite__BusyTimeout", "00:00:00.1")]).ReadyAsync();

    /// <summary>Takes the database for itself as another program may, until it is disposed of.</summary>
    private SqliteConnection Lock()
    {
        var connection = new SqliteConnection($"Data Source={DatabaseFile};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "BEGIN EXCLUSIVE";
        command.ExecuteNonQuery();
        return connection;
    }
}
