using Collab.Testing.Servers;

namespace Collab.PostgresChanges;

/// <summary>One Postgres for a class of tests whose changes can be read, with an empty database for each test.</summary>
public sealed class LogicalPostgres : IAsyncLifetime
{
    public PostgresServer Server { get; private set; } = null!;

    public static Task<PostgresServer> StartAsync(params string[] settings) =>
        PostgresServer.StartAsync(["wal_level=logical", "max_replication_slots=40", "max_wal_senders=40", "fsync=off", .. settings]);

    public async Task InitializeAsync() => Server = await StartAsync();

    public async Task DisposeAsync() => await Server.DisposeAsync();
}
