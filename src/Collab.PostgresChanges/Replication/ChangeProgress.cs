using System.Text.Json;
using Collab.Protocol;
using Collab.Server.Rooms;

namespace Collab.PostgresChanges.Replication;

/// <summary>
/// How far the changes are in the channels' logs. It is stored together with them, so that each is there once although the slot may deliver it
/// again: what it covers is passed over.
/// </summary>
/// <param name="System">The database system's own id.</param>
/// <param name="Publication">The publication's id in the catalog: one that was made anew has another.</param>
/// <param name="Tables">The tables that are followed, each with its ids in the catalog: one that was made or published anew has others.</param>
/// <param name="Lsn">All transactions that were committed before this place in the write-ahead log; 0 when the slot is to be made anew.</param>
/// <param name="Commit">The transaction that was committed here is in part: the larger ones are stored in parts. 0 for none.</param>
/// <param name="Changes">Of that transaction so many changes.</param>
internal sealed record ChangeProgress(
    string System, uint Publication, IReadOnlyDictionary<string, string> Tables, ulong Lsn, ulong Commit = 0, long Changes = 0)
{
    public NewLogEntry ToEntry() => new(JsonSerializer.SerializeToUtf8Bytes(this, JsonSerializerOptions.Web));

    /// <summary>Where the progress of a slot is kept.</summary>
    public static RoomKey RoomOf(string slot) => new(RoomKind.System, "postgres-changes/" + slot);

    /// <summary>Reads what was stored last, and where: what is stored next must follow it.</summary>
    public static async Task<(ChangeProgress? Progress, Position Head)> ReadAsync(IRoomLog log, string slot, CancellationToken cancellationToken)
    {
        var page = await log.ReadBeforeAsync(RoomOf(slot), long.MaxValue, 1, 1, cancellationToken);
        var progress = page.Entries.Count == 0 ? null : JsonSerializer.Deserialize<ChangeProgress>(page.Entries[0].Data.Span, JsonSerializerOptions.Web);
        return (progress, new Position(page.Epoch, page.Head));
    }
}
