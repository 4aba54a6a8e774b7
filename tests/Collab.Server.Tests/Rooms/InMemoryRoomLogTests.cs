using Collab.Testing;

namespace Collab.Server.Rooms;

/// <summary>The store of AddCollab() does what every store does.</summary>
public sealed class InMemoryRoomLogTests : RoomLogConformance
{
    protected override ValueTask<IRoomLog> CreateAsync() => new(new InMemoryRoomLog(TimeProvider.System));
}
