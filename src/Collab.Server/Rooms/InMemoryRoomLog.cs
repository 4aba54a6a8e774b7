using System.Collections.Concurrent;
using System.Security.Cryptography;
using Collab.Protocol;

namespace Collab.Server.Rooms;

/// <summary>Room logs in memory, for tests and for trying things out: they last as long as the process.</summary>
internal sealed class InMemoryRoomLog(TimeProvider clock) : IRoomLog
{
    private readonly ConcurrentDictionary<RoomKey, Room> _rooms = new();
    private readonly byte[] _store = RandomNumberGenerator.GetBytes(16);

    public ValueTask<LogAppend> AppendAsync(
        RoomKey room, IReadOnlyList<NewLogEntry> entries, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        NewLogEntry.ThrowIfUnfit(entries);
        var log = Open(room);
        lock (log)
            return ValueTask.FromResult(Append(room, log, entries, Now()));
    }

    public ValueTask<IReadOnlyList<LogAppend>?> AppendAsync(IReadOnlyList<RoomAppend> appends, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        RoomAppend.ThrowIfUnfit(appends);
        // Always in the same order, or two could wait for each other.
        var logs = appends.OrderBy(append => append.Room.Kind).ThenBy(append => append.Room.Name, StringComparer.Ordinal).Select(append => Open(append.Room)).ToArray();
        var locked = 0;
        try
        {
            for (; locked < logs.Length; locked++)
                Monitor.Enter(logs[locked]);
            return ValueTask.FromResult<IReadOnlyList<LogAppend>?>(AppendAll(appends));
        }
        finally
        {
            while (locked > 0)
                Monitor.Exit(logs[--locked]);
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
            var page = new List<LogEntry>();
            var bytes = 0L;
            for (var i = Math.Max(after - log.Start, 0); i < log.Entries.Count && page.Count < maxEntries && (bytes < maxBytes || page.Count == 0); i++)
            {
                page.Add(log.Entries[(int)i]);
                bytes += page[^1].Data.Length;
            }

            return ValueTask.FromResult(new LogPage(Epoch(room, log.Generation), log.Head, snapshot, page, log.Trimmed));
        }
    }

    public ValueTask<LogPage> ReadBeforeAsync(
        RoomKey room, long before, int maxEntries, long maxBytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ArgumentOutOfRangeException.ThrowIfNegative(before);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEntries);
        if (!_rooms.TryGetValue(room, out var log))
            return ValueTask.FromResult(new LogPage(Epoch(room, 1), 0, null, []));
        lock (log)
        {
            var end = (int)(Math.Clamp(before - 1, log.Start, log.Head) - log.Start);
            var first = end;
            for (var bytes = 0L; first > 0 && end - first < maxEntries; first--)
            {
                bytes += log.Entries[first - 1].Data.Length;
                if (bytes > maxBytes && first < end)
                    break;
            }

            return ValueTask.FromResult(
                new LogPage(Epoch(room, log.Generation), log.Head, null, log.Entries.GetRange(first, end - first), log.Trimmed));
        }
    }

    public ValueTask<IReadOnlyList<Position>> ReadHeadsAsync(IReadOnlyList<RoomKey> rooms, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ArgumentNullException.ThrowIfNull(rooms);
        return ValueTask.FromResult<IReadOnlyList<Position>>([.. rooms.Select(HeadOf)]);
    }

    public ValueTask<bool> CompactAsync(
        RoomKey room, Position through, ReadOnlyMemory<byte> snapshot, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_rooms.TryGetValue(room, out var log))
            return ValueTask.FromResult(false);
        lock (log)
        {
            if (through.Epoch != Epoch(room, log.Generation)
                || log.Trimmed > 0
                || through.Offset < Math.Max(log.Start, 1)
                || through.Offset > log.Head)
                return ValueTask.FromResult(false);
            log.RemoveOldest((int)(through.Offset - log.Start));
            log.Snapshot = new LogSnapshot(through.Offset, snapshot.ToArray());
            return ValueTask.FromResult(true);
        }
    }

    public ValueTask<int> TrimAsync(RoomKey room, LogRetention keep, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_rooms.TryGetValue(room, out var log))
            return ValueTask.FromResult(0);
        lock (log)
        {
            if (log.Snapshot is not null)
                return ValueTask.FromResult(0);
            var now = clock.GetUtcNow();
            var count = 0;
            for (var bytes = log.Bytes; count < Math.Min(log.Entries.Count, LogRetention.MaxTrim); count++)
            {
                var oldest = log.Entries[count];
                if (keep.Keeps(log.Entries.Count - count, bytes, now - oldest.WrittenAt))
                    break;
                bytes -= oldest.Data.Length;
            }

            log.RemoveOldest(count);
            log.Trimmed += count;
            log.Keys?.Sweep(now);
            return ValueTask.FromResult(count);
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
            log.Clear();
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

    public ValueTask<long> MeasureAsync(CancellationToken cancellationToken)
    {
        var bytes = 0L;
        foreach (var (_, log) in _rooms)
        {
            lock (log)
                bytes += log.Bytes + (log.Snapshot?.Data.Length ?? 0);
        }

        return ValueTask.FromResult(bytes);
    }

    public ValueTask CheckAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    private LogAppend[]? AppendAll(IReadOnlyList<RoomAppend> appends)
    {
        if (appends.Any(append => append.OnlyAfter is { } position && HeadOf(append.Room) != position))
            return null;
        var now = Now();
        var done = new LogAppend[appends.Count];
        for (var i = 0; i < done.Length; i++)
            done[i] = Append(appends[i].Room, Open(appends[i].Room), appends[i].EntriesAfter(done[..i]), now);
        return done;
    }

    private LogAppend Append(RoomKey room, Room log, IReadOnlyList<NewLogEntry> entries, DateTimeOffset now)
    {
        var after = log.Head;
        var offsets = new long[entries.Count];
        log.Keys?.Sweep(now);
        for (var i = 0; i < offsets.Length; i++)
            offsets[i] = Append(log, entries[i], now);
        return new LogAppend(Epoch(room, log.Generation), after, offsets, now);
    }

    private Room Open(RoomKey room) => _rooms.GetOrAdd(room, static _ => new Room());

    // As exact as the stores on disk keep it.
    private DateTimeOffset Now() => DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds());

    private Position HeadOf(RoomKey room)
    {
        if (!_rooms.TryGetValue(room, out var log))
            return new Position(Epoch(room, 1), 0);
        lock (log)
            return new Position(Epoch(room, log.Generation), log.Head);
    }

    private string Epoch(RoomKey room, long generation) => LogEpoch.Derive(_store, room, generation);

    private static long Append(Room log, NewLogEntry entry, DateTimeOffset now)
    {
        if (entry.Key is { } key)
        {
            log.Keys ??= new SeenKeys();
            if (log.Keys.Find(key.Value, now) is { } first)
                return first;
            log.Keys.Add(key.Value, log.Head + 1, now + key.Window);
        }

        log.Entries.Add(new LogEntry(++log.Head, entry.Data.ToArray(), entry.Author, now));
        log.Bytes += entry.Data.Length;
        return log.Head;
    }

    /// <summary>One room's log; every member is read and written under its lock. A deleted room stays, for its generation.</summary>
    private sealed class Room
    {
        public long Generation = 1;
        public long Head;
        public long Trimmed;
        public long Bytes;
        public LogSnapshot? Snapshot;
        public SeenKeys? Keys;
        public readonly List<LogEntry> Entries = [];

        /// <summary>The offset that the first entry in <see cref="Entries"/> follows.</summary>
        public long Start => Head - Entries.Count;

        public void RemoveOldest(int count)
        {
            for (var i = 0; i < count; i++)
                Bytes -= Entries[i].Data.Length;
            Entries.RemoveRange(0, count);
        }

        public void Clear()
        {
            Entries.Clear();
            (Head, Trimmed, Bytes, Snapshot, Keys) = (0, 0, 0, null, null);
        }
    }

    /// <summary>The keys that a room has seen, until they expire.</summary>
    private sealed class SeenKeys
    {
        private readonly Dictionary<string, (long Offset, DateTimeOffset Expires)> _keys = new(StringComparer.Ordinal);
        private readonly PriorityQueue<string, DateTimeOffset> _expiry = new();

        public long? Find(string key, DateTimeOffset now) =>
            _keys.TryGetValue(key, out var seen) && seen.Expires > now ? seen.Offset : null;

        public void Add(string key, long offset, DateTimeOffset expires)
        {
            _keys[key] = (offset, expires);
            _expiry.Enqueue(key, expires);
        }

        public void Sweep(DateTimeOffset now)
        {
            while (_expiry.TryPeek(out var key, out var expires) && expires <= now)
            {
                _expiry.Dequeue();
                if (_keys.TryGetValue(key, out var seen) && seen.Expires <= now)
                    _keys.Remove(key);
            }
        }
    }
}
