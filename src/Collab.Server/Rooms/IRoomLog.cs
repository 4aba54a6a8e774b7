using Collab.Protocol;

namespace Collab.Server.Rooms;

/// <summary>
/// The durable log behind every room. Entries of a room get dense positions (1, 2, 3, …) within an epoch. What is appended is durable
/// when the call returns; only then may anybody be told of it.
/// </summary>
/// <remarks>
/// A provider proves itself by <c>RoomLogConformance</c> in <c>tests/Collab.Testing</c>. All members may be called from any thread at
/// any time, and throw <see cref="RoomLogUnavailableException"/> when the store cannot do it now; the store recovers by itself.
/// </remarks>
public interface IRoomLog
{
    /// <summary>Appends entries to one room, in order and all or none, and returns when they are durable.</summary>
    /// <param name="room">The room; its log begins with the first entry.</param>
    /// <param name="entries">One or more entries. The list and its bytes must not change until the call returns.</param>
    /// <param name="cancellationToken">Gives up waiting; what was handed over may still become durable.</param>
    /// <returns>The position of the last entry; those before it have the offsets just below.</returns>
    ValueTask<Position> AppendAsync(RoomKey room, IReadOnlyList<NewLogEntry> entries, CancellationToken cancellationToken);

    /// <summary>
    /// Reads what follows <paramref name="after"/>, as it was at one moment. Of a room that never had an entry it returns an empty page
    /// at offset 0, with the epoch that the room's log will have.
    /// </summary>
    /// <param name="room">The room.</param>
    /// <param name="after">Read entries with larger offsets; 0 reads from the start.</param>
    /// <param name="maxEntries">At most so many entries (at least 1).</param>
    /// <param name="maxBytes">Stop after the entry that makes the page this large, in bytes; at least one entry is read.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<LogPage> ReadAsync(RoomKey room, long after, int maxEntries, long maxBytes, CancellationToken cancellationToken);

    /// <summary>
    /// Replaces all entries up to <paramref name="through"/> by one snapshot that says the same, in one commit: at no moment is neither
    /// there. Positions do not change.
    /// </summary>
    /// <returns>False, and nothing is changed, when the log has another epoch, a later snapshot, or does not reach that far.</returns>
    ValueTask<bool> CompactAsync(RoomKey room, Position through, ReadOnlyMemory<byte> snapshot, CancellationToken cancellationToken);

    /// <summary>Deletes the room's entries. The next log of that name has another epoch.</summary>
    /// <returns>False when there was nothing to delete.</returns>
    ValueTask<bool> DeleteAsync(RoomKey room, CancellationToken cancellationToken);

    /// <summary>Names of rooms that have entries, in ordinal order.</summary>
    /// <param name="kind">Which kind of room.</param>
    /// <param name="prefix">Only names that start so; may be empty.</param>
    /// <param name="after">Only names ordinally after this one; null from the start.</param>
    /// <param name="limit">At most so many names.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<IReadOnlyList<string>> ListAsync(
        RoomKind kind, string prefix, string? after, int limit, CancellationToken cancellationToken);

    /// <summary>Returns when reads and appends would succeed now.</summary>
    /// <exception cref="RoomLogUnavailableException">They would not.</exception>
    ValueTask CheckAsync(CancellationToken cancellationToken);
}

/// <summary>An entry to append.</summary>
/// <param name="Data">The entry's bytes; never empty.</param>
/// <param name="Author">The id of the user who wrote it, or null when nobody in particular did.</param>
public readonly record struct NewLogEntry(ReadOnlyMemory<byte> Data, string? Author = null)
{
    /// <summary>For providers: checks what a caller of <see cref="IRoomLog.AppendAsync"/> must keep to.</summary>
    /// <exception cref="ArgumentException">There is no entry, or one is empty.</exception>
    public static void ThrowIfUnfit(IReadOnlyList<NewLogEntry> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        if (entries.Count == 0)
            throw new ArgumentException("There must be at least one entry.", nameof(entries));
        for (var i = 0; i < entries.Count; i++)
        {
            if (entries[i].Data.IsEmpty)
                throw new ArgumentException("An entry must not be empty.", nameof(entries));
        }
    }
}

/// <summary>An entry as it was stored.</summary>
/// <param name="Offset">Its offset in the room's log; the first is 1.</param>
/// <param name="Data">Its bytes.</param>
/// <param name="Author">The id of the user who wrote it, or null.</param>
/// <param name="WrittenAt">When it was committed, by the server's clock.</param>
public readonly record struct LogEntry(long Offset, ReadOnlyMemory<byte> Data, string? Author, DateTimeOffset WrittenAt);

/// <summary>What stands for all entries up to and including an offset.</summary>
/// <param name="Offset">The last offset that it covers.</param>
/// <param name="Data">Its bytes.</param>
public sealed record LogSnapshot(long Offset, ReadOnlyMemory<byte> Data);

/// <summary>A part of a room's log, read at one moment.</summary>
/// <param name="Epoch">The epoch of the log.</param>
/// <param name="Head">The offset of the last entry that the log had when this was read; 0 when none.</param>
/// <param name="Snapshot">
/// Set when the entries after the asked offset are partly or wholly replaced by a snapshot: take it first, then
/// <paramref name="Entries"/>, which follow it.
/// </param>
/// <param name="Entries">The entries, dense and in order. Fewer than up to <paramref name="Head"/> when a limit was reached.</param>
public sealed record LogPage(string Epoch, long Head, LogSnapshot? Snapshot, IReadOnlyList<LogEntry> Entries)
{
    /// <summary>The offset that a reader has reached with this page.</summary>
    public long ReachedFrom(long after) => Entries.Count > 0 ? Entries[^1].Offset : Snapshot?.Offset ?? after;
}
