using Collab.Server.Rooms;
using Collab.Testing;

namespace Collab.Storage.Sqlite;

/// <summary>The embedded store does what every store does.</summary>
public sealed class SqliteRoomLogTests : RoomLogConformance
{
    private readonly DataFolder _folder = new();

    protected override ValueTask<IRoomLog> CreateAsync() => new(_folder.Open());

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }
}
