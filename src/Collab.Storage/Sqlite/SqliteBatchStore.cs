using Collab.Protocol;
using Collab.Server.Rooms;
using Collab.Storage.GroupCommit;
using Microsoft.Data.Sqlite;

namespace Collab.Storage.Sqlite;

/// <summary>Commits batches of writes to the database file. Opens the file again after whatever has happened to it.</summary>
internal sealed class SqliteBatchStore(SqliteDatabase database, TimeProvider clock, StoreHealth health) : IBatchStore
{
    /// <summary>Free pages are used again; only when more than these and half of the file are free, it is made smaller.</summary>
    private const long FreePagesToKeep = 4096;
    private const int PagesGivenBackAtOnce = 2048;

    /// <summary>
    /// SQLite begins the write-ahead log anew only at a moment without readers. When there was none for so many bytes, the writer makes
    /// one: new readers then need the log no more, and it waits shortly for those who do.
    /// </summary>
    private const long LargeWriteAheadLog = 32 << 20;
    private static readonly TimeSpan WaitForReaders = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<RoomKey, Room> _rooms = [];
    private SqliteSession? _session;
    private bool _freedPages;
    private long _truncateLogFrom = LargeWriteAheadLog;

    public void Open()
    {
        try
        {
            Guard(() => _session = database.OpenForWriting());
            health.Opened(database.Path);
        }
        catch (Exception e)
        {
            health.Failed(e);
        }
    }

    public void Commit(IReadOnlyList<LogWrite> writes)
    {
        try
        {
            Guard(() => CommitTo(CurrentSession(), writes));
            health.Succeeded();
        }
        catch (Exception e)
        {
            // What is wrong with one write of several says nothing about the store: it is told when the write fails alone.
            if (e is not UnfitWriteException || writes.Count == 1)
                health.Failed(e);
            throw;
        }
    }

    public void TidyUp(bool idle)
    {
        if (_session is not { } session)
            return;
        try
        {
            TruncateLog(session);
            if (idle && _freedPages)
                GiveBackPages(session);
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            // Nobody waits for it. What is wrong shows at the next commit.
            _freedPages = false;
        }
    }

    public void Dispose() => Close();

    private void GiveBackPages(SqliteSession session)
    {
        var free = session.Prepare("PRAGMA freelist_count").RunForNumber() ?? 0;
        var pages = session.Prepare("PRAGMA page_count").RunForNumber() ?? 0;
        _freedPages = free > FreePagesToKeep && free > pages / 2;
        if (_freedPages)
            session.Run($"PRAGMA incremental_vacuum({PagesGivenBackAtOnce})");
    }

    private void TruncateLog(SqliteSession session)
    {
        var log = new FileInfo(database.WriteAheadLog);
        if (!log.Exists || log.Length < _truncateLogFrom)
            return;
        session.WaitForLocks(WaitForReaders);
        try
        {
            var busy = session.Prepare("PRAGMA wal_checkpoint(TRUNCATE)").RunForNumber() != 0;
            // A reader that takes long must not make every commit wait for him.
            _truncateLogFrom = busy ? log.Length + LargeWriteAheadLog : LargeWriteAheadLog;
        }
        finally
        {
            session.WaitForLocks(database.BusyTimeout);
        }
    }

    /// <summary>Turns SQLite's failures into the two that the writer knows, and drops a connection that is no longer good.</summary>
    private void Guard(Action action)
    {
        try
        {
            action();
        }
        catch (SqliteException e)
        {
            if (!SqliteFailure.LeavesConnectionGood(e))
                Close();
            if (SqliteFailure.MayBeOfOneWrite(e))
                throw new UnfitWriteException(SqliteFailure.ToUnavailable(e).Message, e);
            throw SqliteFailure.ToUnavailable(e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Close();
            throw new RoomLogUnavailableException("The store cannot be opened.", e);
        }
        catch
        {
            Close();
            throw;
        }
    }

    private SqliteSession CurrentSession()
    {
        if (_session?.HasMoved() == true)
            Close();
        return _session ??= database.OpenForWriting();
    }

    private void Close()
    {
        _session?.Dispose();
        _session = null;
    }

    private void CommitTo(SqliteSession session, IReadOnlyList<LogWrite> writes)
    {
        _rooms.Clear();
        session.Prepare("BEGIN IMMEDIATE").Run();
        try
        {
            var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
            foreach (var write in writes)
                Do(session, write, now);
            foreach (var room in _rooms.Values)
                Save(session, room);
            session.Prepare("COMMIT").Run();
        }
        catch
        {
            session.Rollback();
            throw;
        }
    }

    private void Do(SqliteSession session, LogWrite write, long now)
    {
        switch (write)
        {
            case AppendWrite append:
                append.Outcome = Append(session, append.Room, append.Entries, now);
                break;
            case AppendAllWrite append:
                append.Outcome = AppendAll(session, append.Appends, now);
                break;
            case CompactWrite compact:
                compact.Outcome = Compact(session, compact);
                break;
            case TrimWrite trim:
                trim.Outcome = Trim(session, trim, now);
                break;
            case DeleteWrite delete:
                delete.Outcome = Delete(session, delete);
                break;
            case CheckWrite check:
                session.Prepare("UPDATE meta SET schema_version = schema_version").Run();
                check.Outcome = true;
                break;
            default:
                throw new NotSupportedException(write.GetType().Name);
        }
    }

    private LogAppend[]? AppendAll(SqliteSession session, IReadOnlyList<RoomAppend> appends, long now)
    {
        foreach (var append in appends)
        {
            if (append.OnlyAfter is { } position && (Find(session, append.Room) ?? Add(session, append.Room)).Position != position)
                return null;
        }

        var done = new LogAppend[appends.Count];
        for (var i = 0; i < done.Length; i++)
            done[i] = Append(session, appends[i].Room, appends[i].EntriesAfter(done[..i]), now);
        return done;
    }

    private LogAppend Append(SqliteSession session, RoomKey key, IReadOnlyList<NewLogEntry> entries, long now)
    {
        var room = Find(session, key) ?? Add(session, key);
        var after = room.Head;
        var offsets = new long[entries.Count];
        var keys = 0;
        for (var i = 0; i < offsets.Length; i++)
        {
            var entry = entries[i];
            if (entry.Key is { } name)
            {
                if (SqliteKeys.Find(session, room.Id, name.Value, now) is { } first)
                {
                    offsets[i] = first;
                    continue;
                }

                SqliteKeys.Add(session, room.Id, name.Value, room.Head + 1, now + (long)name.Window.TotalMilliseconds);
                keys++;
            }

            offsets[i] = ++room.Head;
            room.Bytes += entry.Data.Length;
            session.Prepare("INSERT INTO entries (key, data, author, written_at) VALUES (?, ?, ?, ?)")
                .Bind(1, EntryKey.Of(room.Id, room.Head)).Bind(2, entry.Data.Span).Bind(3, entry.Author).Bind(4, now).Run();
        }

        if (keys > 0)
            SqliteKeys.Sweep(session, now, keys * SqliteKeys.SweptForEach);
        room.Changed |= room.Head > after;
        return new LogAppend(room.Epoch, after, offsets, DateTimeOffset.FromUnixTimeMilliseconds(now));
    }

    private bool Compact(SqliteSession session, CompactWrite compact)
    {
        var through = compact.Through;
        if (Find(session, compact.Room) is not { } room
            || through.Epoch != room.Epoch
            || room.Trimmed > 0
            || through.Offset < Math.Max(room.Snapshot, 1)
            || through.Offset > room.Head)
            return false;
        DeleteEntries(session, room, through.Offset);
        room.Bytes = BytesOf(session, room);
        session.Prepare("INSERT OR REPLACE INTO snapshots (room, offset, data) VALUES (?, ?, ?)")
            .Bind(1, room.Id).Bind(2, through.Offset).Bind(3, compact.Snapshot.Span).Run();
        room.Snapshot = through.Offset;
        room.Changed = true;
        _freedPages = true;
        return true;
    }

    private int Trim(SqliteSession session, TrimWrite trim, long now)
    {
        if (Find(session, trim.Room) is not { Snapshot: 0 } room)
            return 0;
        var (through, bytes) = (room.Trimmed, room.Bytes);
        var select = session.Prepare("SELECT key, length(data), written_at FROM entries WHERE key > ? AND key <= ? ORDER BY key LIMIT ?")
            .Bind(1, EntryKey.Of(room.Id, through)).Bind(2, EntryKey.Of(room.Id, room.Head)).Bind(3, LogRetention.MaxTrim);
        while (select.Step())
        {
            if (trim.Keep.Keeps(room.Head - through, bytes, TimeSpan.FromMilliseconds(now - select.Long(2))))
                break;
            through = EntryKey.OffsetOf(select.Long(0));
            bytes -= select.Long(1);
        }

        select.Reset();
        SqliteKeys.Sweep(session, now, LogRetention.MaxTrim);
        var count = (int)(through - room.Trimmed);
        if (count == 0)
            return 0;
        DeleteEntries(session, room, through);
        (room.Trimmed, room.Bytes) = (through, bytes);
        room.Changed = true;
        _freedPages = true;
        return count;
    }

    private bool Delete(SqliteSession session, DeleteWrite delete)
    {
        if (Find(session, delete.Room) is not { Head: > 0 } room)
            return false;
        DeleteEntries(session, room, room.Head);
        session.Prepare("DELETE FROM snapshots WHERE room = ?").Bind(1, room.Id).Run();
        SqliteKeys.Forget(session, room.Id);
        room.Generation++;
        (room.Head, room.Snapshot, room.Trimmed, room.Bytes) = (0, 0, 0, 0);
        room.Epoch = LogEpoch.Derive(session.DatabaseId, delete.Room, room.Generation);
        room.Changed = true;
        _freedPages = true;
        return true;
    }

    private static void DeleteEntries(SqliteSession session, Room room, long through) =>
        session.Prepare("DELETE FROM entries WHERE key BETWEEN ? AND ?")
            .Bind(1, EntryKey.Of(room.Id, 0)).Bind(2, EntryKey.Of(room.Id, through)).Run();

    private static long BytesOf(SqliteSession session, Room room) =>
        session.Prepare("SELECT coalesce(sum(length(data)), 0) FROM entries WHERE key > ? AND key <= ?")
            .Bind(1, EntryKey.Of(room.Id, 0)).Bind(2, EntryKey.Of(room.Id, room.Head)).RunForNumber() ?? 0;

    /// <summary>The room as this transaction sees it; looked up once for all writes of a batch.</summary>
    private Room? Find(SqliteSession session, RoomKey key)
    {
        if (_rooms.TryGetValue(key, out var known))
            return known;
        var select = session.Prepare("SELECT id, generation, head, snapshot, trimmed, bytes FROM rooms WHERE kind = ? AND name = ?")
            .Bind(1, (long)key.Kind).Bind(2, key.Name);
        if (!select.Step())
            return null;
        var room = new Room
        {
            Id = select.Long(0),
            Generation = select.Long(1),
            Head = select.Long(2),
            Snapshot = select.Long(3),
            Trimmed = select.Long(4),
            Bytes = select.Long(5),
            Epoch = LogEpoch.Derive(session.DatabaseId, key, select.Long(1)),
        };
        select.Reset();
        return _rooms[key] = room;
    }

    private Room Add(SqliteSession session, RoomKey key)
    {
        session.Prepare("INSERT INTO rooms (kind, name, generation, head, snapshot) VALUES (?, ?, 1, 0, 0)")
            .Bind(1, (long)key.Kind).Bind(2, key.Name).Run();
        return _rooms[key] = new Room
        {
            Id = session.LastInsertedRow,
            Generation = 1,
            Epoch = LogEpoch.Derive(session.DatabaseId, key, 1),
        };
    }

    private static void Save(SqliteSession session, Room room)
    {
        if (!room.Changed)
            return;
        session.Prepare("UPDATE rooms SET generation = ?, head = ?, snapshot = ?, trimmed = ?, bytes = ? WHERE id = ?")
            .Bind(1, room.Generation).Bind(2, room.Head).Bind(3, room.Snapshot).Bind(4, room.Trimmed).Bind(5, room.Bytes)
            .Bind(6, room.Id).Run();
    }

    private sealed class Room
    {
        public long Id;
        public long Generation;
        public long Head;
        public long Snapshot;
        public long Trimmed;
        public long Bytes;
        public required string Epoch;
        public bool Changed;

        public Position Position => new(Epoch, Head);
    }
}
