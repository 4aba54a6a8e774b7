// Appends to four rooms with eight writers, compacts now and then, and prints a line for each acknowledged append: room, offset, text,
// and a full stop, by which the reader tells a whole line. Ends only by being killed.
using System.Text;
using Collab.Protocol;
using Collab.Server.Rooms;
using Collab.Storage.Sqlite;
using Collab.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

const int Rooms = 4, Writers = 8, CompactEvery = 200;

var options = Options.Create(new SqliteRoomLogOptions { DataDirectory = args[0] });
var run = args[1];
await using var log = new SqliteRoomLog(options, TimeProvider.System, NullLogger<SqliteRoomLog>.Instance);
using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true, NewLine = "\n" };

await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
{
    var room = new RoomKey(RoomKind.Document, $"room-{writer % Rooms}");
    for (var i = 1; ; i++)
    {
        var text = $"{run}:{writer}:{i}";
        var position = await log.Append(room, text);
        lock (output)
            output.WriteLine($"{room.Name} {position.Offset} {text} .");
        if (writer < Rooms && i % CompactEvery == 0)
            await CompactAsync(room);
    }
})));

// The snapshot says each text on a line of its own: line n is the entry at offset n.
async Task CompactAsync(RoomKey room)
{
    var page = await log.ReadAll(room);
    var texts = page.Entries.Select(entry => Encoding.UTF8.GetString(entry.Data.Span));
    if (page.Snapshot is { } snapshot)
        texts = texts.Prepend(Encoding.UTF8.GetString(snapshot.Data.Span));
    await log.CompactAsync(
        room, new Position(page.Epoch, page.ReachedFrom(0)), Encoding.UTF8.GetBytes(string.Join('\n', texts)), default);
}
