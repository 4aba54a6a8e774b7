using System.Text;
using Collab.Protocol;
using Collab.Server.Rooms;

namespace Collab.Testing;

/// <summary>Short forms of <see cref="IRoomLog"/>'s calls, for entries that are text.</summary>
public static class RoomLogCalls
{
    /// <summary>Appends texts in one call.</summary>
    /// <returns>The position of the last.</returns>
    public static async ValueTask<Position> Append(this IRoomLog log, RoomKey room, params string[] texts) =>
        (await log.AppendAsync(room, [.. texts.Select(text => new NewLogEntry(Encoding.UTF8.GetBytes(text)))], default)).Last;

    /// <summary>Appends texts in one call, each named by itself for some time.</summary>
    public static ValueTask<LogAppend> AppendOnce(this IRoomLog log, RoomKey room, TimeSpan window, params string[] texts) =>
        log.AppendAsync(
            room, [.. texts.Select(text => new NewLogEntry(Encoding.UTF8.GetBytes(text), Key: new AppendKey(text, window)))], default);

    /// <summary>Reads the whole log.</summary>
    public static ValueTask<LogPage> ReadAll(this IRoomLog log, RoomKey room) =>
        log.ReadAsync(room, 0, int.MaxValue, long.MaxValue, default);
}
