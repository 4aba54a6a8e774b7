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
    /// <summary>
    /// Appends entries to one room, in order and all or none, and returns when they are durable. An entry whose <see cref="AppendKey"/>
    /// the room has seen within its window is not appended again; the key is committed together with the entry.
    /// </summary>
    /// <param name="room">The room; its log begins with the first entry.</param>
    /// <param name="entries">One or more entries. The list and its bytes must not change until the call returns.</param>
    /// <param name="cancellationToken">Gives up waiting; what was handed over may still become durable.</param>
    /// <returns>The offset of each entry.</returns>
    ValueTask<LogAppend> AppendAsync(RoomKey room, IReadOnlyList<NewLogEntry> entries, CancellationToken cancellationToken);

    /// <summary>
    /// Appends entries to several rooms in one commit: all that is asked for, or nothing. Each append does what
    /// <see cref="AppendAsync(RoomKey, IReadOnlyList{NewLogEntry}, CancellationToken)"/> does.
    /// </summary>
    /// <param name="appends">One or more appends, each to another room.</param>
    /// <param name="cancellationToken">Gives up waiting; what was handed over may still become durable.</param>
    /// <returns>What each append did, in their order; null, and nothing is appended, when a room is not where <see cref="RoomAppend.OnlyAfter"/> says.</returns>
    ValueTask<IReadOnlyList<LogAppend>?> AppendAsync(IReadOnlyList<RoomAppend> appends, CancellationToken cancellationToken);

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
    /// Reads what precedes <paramref name="before"/>, as it was at one moment: the last entries that fit, in the log's order and dense up
    /// to <paramref name="before"/>. It never has a snapshot.
    /// </summary>
    /// <param name="room">The room.</param>
    /// <param name="before">Read entries with smaller offsets; <see cref="long.MaxValue"/> reads the newest.</param>
    /// <param name="maxEntries">At most so many entries (at least 1).</param>
    /// <param name="maxBytes">Stop before the page is larger than this, in bytes; at least one entry is read.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<LogPage> ReadBeforeAsync(RoomKey room, long before, int maxEntries, long maxBytes, CancellationToken cancellationToken);

    /// <summary>How far the logs of rooms go now, for many rooms at little cost.</summary>
    /// <param name="rooms">The rooms.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>For each room, in their order, the position of its last entry; offset 0, with the epoch that its log will have, when it has none.</returns>
    ValueTask<IReadOnlyList<Position>> ReadHeadsAsync(IReadOnlyList<RoomKey> rooms, CancellationToken cancellationToken);

    /// <summary>
    /// Replaces all entries up to <paramref name="through"/> by one snapshot that says the same, in one commit: at no moment is neither
    /// there. Positions do not change.
    /// </summary>
    /// <returns>False, and nothing is changed, when the log has another epoch, a later snapshot, was trimmed, or does not reach that far.</returns>
    ValueTask<bool> CompactAsync(RoomKey room, Position through, ReadOnlyMemory<byte> snapshot, CancellationToken cancellationToken);

    /// <summary>
    /// Takes away the oldest entries that are not to be kept, a batch at most (<see cref="LogRetention.MaxTrim"/>) so that nobody waits
    /// long for it. Positions do not change. A log is either trimmed or compacted: one with a snapshot is left as it is.
    /// </summary>
    /// <returns>How many were taken away. While it is a whole batch, there may be more.</returns>
    ValueTask<int> TrimAsync(RoomKey room, LogRetention keep, CancellationToken cancellationToken);

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

    /// <summary>What the logs of all rooms take in the store, in bytes; about, and quickly.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<long> MeasureAsync(CancellationToken cancellationToken);

    /// <summary>Returns when reads and appends would succeed now.</summary>
    /// <exception cref="RoomLogUnavailableException">They would not.</exception>
    ValueTask CheckAsync(CancellationToken cancellationToken);
}

/// <summary>An entry to append.</summary>
/// <param name="Data">The entry's bytes; never empty.</param>
/// <param name="Author">The id of the user who wrote it, or null when nobody in particular did.</param>
/// <param name="Key">What tells a repeated append of the same entry; null when repeats are appended again.</param>
public readonly record struct NewLogEntry(ReadOnlyMemory<byte> Data, string? Author = null, AppendKey? Key = null)
{
    /// <summary>For providers: checks what a caller of <see cref="IRoomLog.AppendAsync(RoomKey, IReadOnlyList{NewLogEntry}, CancellationToken)"/> must keep to.</summary>
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

/// <summary>What is appended to one room together with what is appended to others.</summary>
/// <param name="Room">The room.</param>
/// <param name="Entries">The entries; at least one, unless <paramref name="Derive"/> is set.</param>
/// <param name="OnlyAfter">
/// The position of the last entry that the room must have, as <see cref="IRoomLog.ReadHeadsAsync"/> tells it; null for any. So two who do not know
/// of each other cannot both append what is to be there once.
/// </param>
/// <param name="Derive">
/// Makes more entries of what the appends before it in the list did, such as a note that says where something was appended; it may make none, and none
/// with an <see cref="AppendKey"/>. It is called while the store commits, so it must be quick, and more than once if the store must try again.
/// </param>
public sealed record RoomAppend(
    RoomKey Room,
    IReadOnlyList<NewLogEntry> Entries,
    Position? OnlyAfter = null,
    Func<IReadOnlyList<LogAppend>, IReadOnlyList<NewLogEntry>>? Derive = null)
{
    /// <summary>For providers: the entries to append, when the appends before it have been done.</summary>
    public IReadOnlyList<NewLogEntry> EntriesAfter(IReadOnlyList<LogAppend> before) =>
        Derive is null ? Entries : [.. Entries, .. Derive(before)];

    /// <summary>For providers: checks what a caller of <see cref="IRoomLog.AppendAsync(IReadOnlyList{RoomAppend}, CancellationToken)"/> must keep to.</summary>
    /// <exception cref="ArgumentException">There is no append, one has no entry or an empty one, or a room stands there twice.</exception>
    public static void ThrowIfUnfit(IReadOnlyList<RoomAppend> appends)
    {
        ArgumentNullException.ThrowIfNull(appends);
        if (appends.Count == 0)
            throw new ArgumentException("There must be at least one append.", nameof(appends));
        foreach (var append in appends)
        {
            if (append.Derive is null || append.Entries.Count > 0)
                NewLogEntry.ThrowIfUnfit(append.Entries);
        }

        if (appends.Count > 1 && appends.DistinctBy(append => append.Room).Count() < appends.Count)
            throw new ArgumentException("A room stands there twice.", nameof(appends));
    }
}

/// <summary>Names an entry so that appending it again within a time appends nothing.</summary>
/// <param name="Value">The name; compared exactly, within one room.</param>
/// <param name="Window">For how long the room remembers it, from the append on.</param>
public readonly record struct AppendKey(string Value, TimeSpan Window);

/// <summary>What an append did.</summary>
/// <param name="Epoch">The epoch of the log.</param>
/// <param name="After">The offset of the last entry that the log had before: the new ones follow it without a gap.</param>
/// <param name="Offsets">
/// For each entry handed over its offset. Of one that was not appended, because its key was seen before, the offset of the first: at
/// most <paramref name="After"/>, or that of an entry of the same append.
/// </param>
/// <param name="WrittenAt">When it was committed, by the server's clock; as it is read later.</param>
public sealed record LogAppend(string Epoch, long After, IReadOnlyList<long> Offsets, DateTimeOffset WrittenAt)
{
    /// <summary>The position of the entry handed over last.</summary>
    public Position Last => new(Epoch, Offsets[^1]);
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
/// <param name="Trimmed">The log begins after this offset: entries up to it were taken away (<see cref="IRoomLog.TrimAsync"/>). 0 when none was.</param>
public sealed record LogPage(string Epoch, long Head, LogSnapshot? Snapshot, IReadOnlyList<LogEntry> Entries, long Trimmed = 0)
{
    /// <summary>The offset that a reader has reached with this page.</summary>
    public long ReachedFrom(long after) => Entries.Count > 0 ? Entries[^1].Offset : Math.Max(after, Snapshot?.Offset ?? Trimmed);
}

/// <summary>How much of a log is kept. Each bound holds by itself; the newest entries stay.</summary>
/// <param name="MaxEntries">At most so many entries.</param>
/// <param name="MaxBytes">At most so many bytes of entries' data.</param>
/// <param name="MaxAge">Only entries younger than this.</param>
public readonly record struct LogRetention(long MaxEntries, long MaxBytes, TimeSpan MaxAge)
{
    /// <summary>So many entries are taken away at once.</summary>
    public const int MaxTrim = 512;

    /// <summary>For providers: whether the oldest entry of a log stays.</summary>
    /// <param name="entries">How many entries there are.</param>
    /// <param name="bytes">How many bytes their data has.</param>
    /// <param name="age">How old the oldest is.</param>
    public bool Keeps(long entries, long bytes, TimeSpan age) => entries <= MaxEntries && bytes <= MaxBytes && age < MaxAge;
}
