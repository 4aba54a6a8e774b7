using Collab.Testing.Servers;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Collab.Storage.Postgres;

/// <summary>One Postgres for a class of tests, with an empty database for each test.</summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    public PostgresServer Server { get; private set; } = null!;

    public async Task InitializeAsync() => Server = await PostgresServer.StartAsync();

    public async Task DisposeAsync() => await Server.DisposeAsync();

    internal static PostgresRoomLog Open(string connectionString, TimeSpan? patience = null) => new(
        Options.Create(new PostgresRoomLogOptions { ConnectionString = connectionString, Patience = patience ?? TimeSpan.FromSeconds(30) }),
        NullLogger<PostgresRoomLog>.Instance);
}
