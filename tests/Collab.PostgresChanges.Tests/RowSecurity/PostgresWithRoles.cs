using Collab.Testing.Servers;

namespace Collab.PostgresChanges.RowSecurity;

/// <summary>A Postgres with two roles of an application and a user who may take them.</summary>
public sealed class PostgresWithRoles : IAsyncLifetime
{
    public PostgresServer Server { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Server = await PostgresServer.StartAsync(["fsync=off"]);
        await Server.RunSqlAsync("postgres", "CREATE ROLE member; CREATE ROLE auditor; CREATE ROLE collab LOGIN; GRANT member, auditor TO collab");
    }

    public async Task DisposeAsync() => await Server.DisposeAsync();
}
