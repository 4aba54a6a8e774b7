using System.Runtime.InteropServices;
using Collab.Protocol;
using Collab.Server.Rooms;
using Collab.Storage.GroupCommit;
using Npgsql;

namespace Collab.Storage.Postgres;

/// <summary>
/// One transaction of the writer. It locks the rooms that it writes to, always in the same order, so that their offsets are handed out
/// to one node after the other and no reader sees a hole. Appends go to the database all together, at the end.
/// </summary>
internal sealed partial class PostgresTransaction(NpgsqlConnection connection, byte[] databaseId, Guid writer, long number)
{
    private readonly Dictionary<RoomKey, Room> _rooms = [];
    private readonly Dictionary<(long Room, string Key), long> _keys = [];
    private readonly List<NewEntry> _entries = [];
    private readonly List<NewKey> _newKeys = [];
    private long _now;

    /// <summary>Begins it, and locks and reads the rooms of all writes.</summary>
    /// <returns>False when a transaction of this number was committed already.</returns>
    public bool Begin(IReadOnlyList<LogWrite> writes)
    {
        RoomKey[] appended = [.. Appends(writes).Select(append => append.Room).Distinct()];
        RoomKey[] others = [.. writes.Select(RoomOf).OfType<RoomKey>().Except(appended)];
        // The names are sorted here and by the database, or two nodes could wait for each other.
        var rooms = appended.Concat(others).OrderBy(room => room.Kind).ThenBy(room => room.Name, StringComparer.Ordinal).ToArray();
        using var batch = new NpgsqlBatch(connection);
        Add(batch, "BEGIN");
        Add(
            batch,
            """
            INSERT INTO collab.commits AS known (writer, number) VALUES ($1, $2)
            ON CONFLICT (writer) DO UPDATE SET number = excluded.number, at = now() WHERE known.number < excluded.number
            RETURNING (extract(epoch FROM clock_timestamp()) * 1000)::bigint
            """,
            writer, number);
        if (appended.Length > 0)
        {
            Add(
                batch,
                """
                INSERT INTO collab.rooms (kind, name) SELECT * FROM unnest($1, $2) AS asked (kind, name)
                WHERE NOT EXISTS (SELECT FROM collab.rooms known WHERE known.kind = asked.kind AND known.name = asked.name COLLATE "C")
                ORDER BY asked.kind, asked.name COLLATE "C" ON CONFLICT DO NOTHING
                """,
                Kinds(appended), Names(appended));
        }

        Add(
            batch,
            """
            SELECT kind, name, id, generation, head, snapshot, trimmed, bytes FROM collab.rooms
            WHERE (kind, name) IN (SELECT * FROM unnest($1, $2)) ORDER BY kind, name FOR UPDATE
            """,
            Kinds(rooms), Names(rooms));
        using (var reader = batch.ExecuteReader())
        {
            if (!reader.Read())
            {
                reader.Close();
                Run("ROLLBACK");
                return false;
            }

            _now = reader.GetInt64(0);
            reader.NextResult();
            while (reader.Read())
                Note(reader);
        }

        FindKeys(writes);
        return true;
    }

    /// <summary>Does a write, as far as others of this transaction can see.</summary>
    public void Do(LogWrite write)
    {
        switch (write)
        {
            case AppendWrite append:
                append.Outcome = Append(append.Room, append.Entries);
                break;
            case AppendAllWrite append:
                append.Outcome = AppendAll(append.Appends);
                break;
            case CompactWrite compact:
                compact.Outcome = Compact(compact);
                break;
            case TrimWrite trim:
                trim.Outcome = Trim(trim);
                break;
            case DeleteWrite delete:
                delete.Outcome = Delete(delete);
                break;
            case CheckWrite check:
                check.Outcome = true;
                break;
            default:
                throw new NotSupportedException(write.GetType().Name);
        }
    }

    public void Commit()
    {
        using var batch = new NpgsqlBatch(connection);
        AddAppends(batch);
        Room[] changed = [.. _rooms.Values.Where(room => room.Changed)];
        if (changed.Length > 0)
        {
            Add(
                batch,
                """
                UPDATE collab.rooms SET generation = new.generation, head = new.head, snapshot = new.snapshot, trimmed = new.trimmed, bytes = new.bytes
                FROM unnest($1, $2, $3, $4, $5, $6) AS new (id, generation, head, snapshot, trimmed, bytes) WHERE rooms.id = new.id
                """,
                Of(changed, room => room.Id), Of(changed, room => room.Generation), Of(changed, room => room.Head),
                Of(changed, room => room.Snapshot), Of(changed, room => room.Trimmed), Of(changed, room => room.Bytes));
        }

        Add(batch, "COMMIT");
        batch.ExecuteNonQuery();
    }

    private LogAppend[]? AppendAll(IReadOnlyList<RoomAppend> appends)
    {
        foreach (var append in appends)
        {
            if (append.OnlyAfter is { } position && _rooms[append.Room].Position != position)
                return null;
        }

        var done = new LogAppend[appends.Count];
        for (var i = 0; i < done.Length; i++)
            done[i] = Append(appends[i].Room, appends[i].EntriesAfter(done[..i]));
        return done;
    }

    private LogAppend Append(RoomKey key, IReadOnlyList<NewLogEntry> entries)
    {
        var room = _rooms[key];
        var after = room.Head;
        var offsets = new long[entries.Count];
        for (var i = 0; i < offsets.Length; i++)
        {
            var entry = entries[i];
            if (entry.Key is { } name)
            {
                if (_keys.TryGetValue((room.Id, name.Value), out var first))
                {
                    offsets[i] = first;
                    continue;
                }

                _keys[(room.Id, name.Value)] = room.Head + 1;
                _newKeys.Add(new NewKey(room.Id, name.Value, room.Head + 1, _now + (long)name.Window.TotalMilliseconds));
            }

            offsets[i] = ++room.Head;
            room.Bytes += entry.Data.Length;
            _entries.Add(new NewEntry(room.Id, room.Head, entry.Data, entry.Author));
        }

        room.Changed |= room.Head > after;
        return new LogAppend(room.Epoch, after, offsets, DateTimeOffset.FromUnixTimeMilliseconds(_now));
    }

    private bool Compact(CompactWrite compact)
    {
        var through = compact.Through;
        if (!_rooms.TryGetValue(compact.Room, out var room)
            || through.Epoch != room.Epoch
            || room.Trimmed > 0
            || through.Offset < Math.Max(room.Snapshot, 1)
            || through.Offset > room.Head)
        {
            return false;
        }

        Flush();
        room.Bytes -= RunForNumber(
            """
            WITH gone AS (DELETE FROM collab.entries WHERE room = $1 AND "offset" <= $2 RETURNING octet_length(data) AS bytes)
            SELECT coalesce(sum(bytes), 0)::bigint FROM gone
            """,
            room.Id, through.Offset);
        Run(
            """
            INSERT INTO collab.snapshots (room, "offset", data) VALUES ($1, $2, $3)
            ON CONFLICT (room) DO UPDATE SET "offset" = excluded."offset", data = excluded.data
            """,
            room.Id, through.Offset, compact.Snapshot);
        room.Snapshot = through.Offset;
        return room.Changed = true;
    }

    private int Trim(TrimWrite trim)
    {
        if (!_rooms.TryGetValue(trim.Room, out var room) || room.Snapshot > 0)
            return 0;
        Flush();
        var (through, bytes) = (room.Trimmed, room.Bytes);
        using (var select = Command(
            """SELECT "offset", octet_length(data), written_at FROM collab.entries WHERE room = $1 AND "offset" > $2 ORDER BY "offset" LIMIT $3""",
            room.Id, through, (long)LogRetention.MaxTrim))
        using (var reader = select.ExecuteReader())
        {
            while (reader.Read() && !trim.Keep.Keeps(room.Head - through, bytes, TimeSpan.FromMilliseconds(_now - reader.GetInt64(2))))
            {
                through = reader.GetInt64(0);
                bytes -= reader.GetInt32(1);
            }
        }

        SweepKeys(LogRetention.MaxTrim);
        var count = (int)(through - room.Trimmed);
        if (count == 0)
            return 0;
        Run("""DELETE FROM collab.entries WHERE room = $1 AND "offset" <= $2""", room.Id, through);
        (room.Trimmed, room.Bytes, room.Changed) = (through, bytes, true);
        return count;
    }

    private bool Delete(DeleteWrite delete)
    {
        if (!_rooms.TryGetValue(delete.Room, out var room) || room.Head == 0)
            return false;
        Flush();
        Run("DELETE FROM collab.entries WHERE room = $1", room.Id);
        Run("DELETE FROM collab.snapshots WHERE room = $1", room.Id);
        Run("DELETE FROM collab.keys WHERE room = $1", room.Id);
        foreach (var key in _keys.Keys.Where(key => key.Room == room.Id).ToArray())
            _keys.Remove(key);
        room.Generation++;
        (room.Head, room.Snapshot, room.Trimmed, room.Bytes) = (0, 0, 0, 0);
        room.Epoch = LogEpoch.Derive(databaseId, delete.Room, room.Generation);
        return room.Changed = true;
    }

    /// <summary>Looks up which keys of the appends the rooms have seen within their windows.</summary>
    private void FindKeys(IReadOnlyList<LogWrite> writes)
    {
        var asked = new List<(long Room, string Key)>();
        foreach (var (room, entries) in Appends(writes))
        {
            for (var i = 0; i < entries.Count; i++)
            {
                if (entries[i].Key is { } key)
                    asked.Add((_rooms[room].Id, key.Value));
            }
        }

        if (asked.Count == 0)
            return;
        using var select = Command(
            """SELECT room, key, "offset" FROM collab.keys WHERE (room, key) IN (SELECT * FROM unnest($1, $2)) AND expires_at > $3""",
            asked.Select(key => key.Room).ToArray(), asked.Select(key => key.Key).ToArray(), _now);
        using var reader = select.ExecuteReader();
        while (reader.Read())
            _keys[(reader.GetInt64(0), reader.GetString(1))] = reader.GetInt64(2);
    }

    private void Flush()
    {
        using var batch = new NpgsqlBatch(connection);
        AddAppends(batch);
        if (batch.BatchCommands.Count > 0)
            batch.ExecuteNonQuery();
    }

    private void AddAppends(NpgsqlBatch batch)
    {
        if (_entries.Count > 0)
        {
            Add(
                batch,
                """INSERT INTO collab.entries (room, "offset", data, author, written_at) SELECT *, $5 FROM unnest($1, $2, $3, $4)""",
                _entries.Select(entry => entry.Room).ToArray(), _entries.Select(entry => entry.Offset).ToArray(),
                _entries.Select(entry => BytesOf(entry.Data)).ToArray(), _entries.Select(entry => entry.Author).ToArray(), _now);
        }

        if (_newKeys.Count > 0)
        {
            Add(
                batch,
                """
                INSERT INTO collab.keys (room, key, "offset", expires_at) SELECT * FROM unnest($1, $2, $3, $4)
                ON CONFLICT (room, key) DO UPDATE SET "offset" = excluded."offset", expires_at = excluded.expires_at
                """,
                _newKeys.Select(key => key.Room).ToArray(), _newKeys.Select(key => key.Key).ToArray(),
                _newKeys.Select(key => key.Offset).ToArray(), _newKeys.Select(key => key.ExpiresAt).ToArray());
            Add(batch, SweepSql, _now, (long)_newKeys.Count * 2);
        }

        _entries.Clear();
        _newKeys.Clear();
    }

    // Other nodes sweep too; what one of them has locked is left to it.
    private const string SweepSql =
        """
        DELETE FROM collab.keys WHERE (room, key) IN (
            SELECT room, key FROM collab.keys WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
        """;

    private void SweepKeys(int limit) => Run(SweepSql, _now, (long)limit);

    private void Note(NpgsqlDataReader reader)
    {
        var key = new RoomKey((RoomKind)reader.GetInt16(0), reader.GetString(1));
        _rooms[key] = new Room
        {
            Id = reader.GetInt64(2),
            Generation = reader.GetInt64(3),
            Head = reader.GetInt64(4),
            Snapshot = reader.GetInt64(5),
            Trimmed = reader.GetInt64(6),
            Bytes = reader.GetInt64(7),
            Epoch = LogEpoch.Derive(databaseId, key, reader.GetInt64(3)),
        };
    }

    private static IEnumerable<(RoomKey Room, IReadOnlyList<NewLogEntry> Entries)> Appends(IReadOnlyList<LogWrite> writes)
    {
        foreach (var write in writes)
        {
            if (write is AppendWrite append)
                yield return (append.Room, append.Entries);
            foreach (var one in (write as AppendAllWrite)?.Appends ?? [])
                yield return (one.Room, one.Entries);
        }
    }

    private static RoomKey? RoomOf(LogWrite write) => write switch
    {
        CompactWrite compact => compact.Room,
        TrimWrite trim => trim.Room,
        DeleteWrite delete => delete.Room,
        _ => null,
    };

    private static short[] Kinds(RoomKey[] rooms) => [.. rooms.Select(room => (short)room.Kind)];

    private static string[] Names(RoomKey[] rooms) => [.. rooms.Select(room => room.Name)];

    private static long[] Of(Room[] rooms, Func<Room, long> value) => [.. rooms.Select(value)];

    private static byte[] BytesOf(ReadOnlyMemory<byte> data) =>
        MemoryMarshal.TryGetArray(data, out var whole) && whole.Count == whole.Array!.Length ? whole.Array : data.ToArray();

    private readonly record struct NewEntry(long Room, long Offset, ReadOnlyMemory<byte> Data, string? Author);

    private readonly record struct NewKey(long Room, string Key, long Offset, long ExpiresAt);

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
