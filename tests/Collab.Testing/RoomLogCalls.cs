using System.Text;
using Collab.Protocol;
using Collab.Server.Rooms;

namespace Collab.Testing;

/// <summary>Short forms of <see cref="IRoomLog"/>'s calls, for entries that are text.</summary>
public static class RoomLogCalls
{
    /// <summary>Appends texts in one call.</summary>
    public static ValueTask<Position> Append(this IRoomLog log, RoomKey room, params string[] texts) =>
        log.AppendAsync(room, [.. texts.Select(text => new NewLogEntry(Encoding.UTF8.GetBytes(text)))], default);

    /// <summary>Reads the whole log.</summary>
    public static ValueTask<LogPage> ReadAll(this IRoomLog log, RoomKey room) =>
        log.ReadAsync(room, 0, int.MaxValue, long.MaxValue, default);
}
