using Collab.Server.Rooms;
using Collab.Testing;

namespace Collab.Storage.Postgres;

/// <summary>Postgres does what every store does.</summary>
public sealed class PostgresRoomLogTests(PostgresFixture postgres) : RoomLogConformance, IClassFixture<PostgresFixture>
{
    protected override async ValueTask<IRoomLog> CreateAsync() =>
        PostgresFixture.Open(postgres.Server.ConnectionString(await postgres.Server.CreateDatabaseAsync()));
}
