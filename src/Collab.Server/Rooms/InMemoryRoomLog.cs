using System.Collections.Concurrent;
using System.Security.Cryptography;
using Collab.Protocol;

namespace Collab.Server.Rooms;

/// <summary>Room logs in memory, for tests and for trying things out: they last as long as the process.</summary>
internal sealed class InMemoryRoomLog(TimeProvider clock) : IRoomLog
{
    private readonly ConcurrentDictionary<RoomKey, Room> _rooms = new();
    private readonly byte[] _store = RandomNumberGenerator.GetBytes(16);

    public ValueTask<Position> AppendAsync(
        RoomKey room, IReadOnlyList<NewLogEntry> entries, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        NewLogEntry.ThrowIfUnfit(entries);
        var log = _rooms.GetOrAdd(room, static _ => new Room());
        lock (log)
        {
            var now = DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds());
            foreach (var entry in entries)
                log.Entries.Add(new LogEntry(++log.Head, entry.Data.ToArray(), entry.Author, now));
            return ValueTask.FromResult(new Position(Epoch(room, log.Generation), log.Head));
        }
    }

    public ValueTask<LogPage> ReadAsync(
        RoomKey room, long after, int maxEntries, long maxBytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ArgumentOutOfRangeException.ThrowIfNegative(after);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEntries);
        if (!_rooms.TryGetValue(room, out var log))
            return ValueTask.FromResult(new LogPage(Epoch(room, 1), 0, null, []));
        lock (log)
        {
            var snapshot = log.Snapshot is { } kept && after < kept.Offset ? kept : null;
            var first = Math.Max(after, log.Snapshot?.Offset ?? 0) - (log.Snapshot?.Offset ?? 0);
            var page = new List<LogEntry>();
            var bytes = 0L;
            for (var i = first; i < log.Entries.Count && page.Count < maxEntries && (bytes < maxBytes || page.Count == 0); i++)
            {
                page.Add(log.Entries[(int)i]);
                bytes += page[^1].Data.Length;
            }

            return ValueTask.FromResult(new LogPage(Epoch(room, log.Generation), log.Head, snapshot, page));
        }
    }

    public ValueTask<bool> CompactAsync(
        RoomKey room, Position through, ReadOnlyMemory<byte> snapshot, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_rooms.TryGetValue(room, out var log))
            return ValueTask.FromResult(false);
        lock (log)
        {
            var from = log.Snapshot?.Offset ?? 0;
            if (through.Epoch != Epoch(room, log.Generation) || through.Offset < Math.Max(from, 1) || through.Offset > log.Head)
                return ValueTask.FromResult(false);
            log.Entries.RemoveRange(0, (int)(through.Offset - from));
            log.Snapshot = new LogSnapshot(through.Offset, snapshot.ToArray());
            return ValueTask.FromResult(true);
        }
    }

    public ValueTask<bool> DeleteAsync(RoomKey room, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_rooms.TryGetValue(room, out var log))
            return ValueTask.FromResult(false);
        lock (log)
        {
            if (log.Head == 0)
                return ValueTask.FromResult(false);
            log.Entries.Clear();
            log.Snapshot = null;
            log.Head = 0;
            log.Generation++;
            return ValueTask.FromResult(true);
        }
    }

    public ValueTask<IReadOnlyList<string>> ListAsync(
        RoomKind kind, string prefix, string? after, int limit, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        IReadOnlyList<string> names = _rooms
            .Where(room => room.Key.Kind == kind && Volatile.Read(ref room.Value.Head) > 0)
            .Select(room => room.Key.Name)
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Where(name => after is null || string.CompareOrdinal(name, after) > 0)
            .Order(StringComparer.Ordinal)
            .Take(limit)
            .ToArray();
        return ValueTask.FromResult(names);
    }

    public ValueTask CheckAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    private string Epoch(RoomKey room, long generation) => LogEpoch.Derive(_store, room, generation);

    /// <summary>One room's log; every member is read and written under its lock. A deleted room stays, for its generation.</summary>
    private sealed class Room
    {
        public long Generation = 1;
        public long Head;
        public LogSnapshot? Snapshot;
        public readonly List<LogEntry> Entries = [];
    }
}
