using Collab.Server.Rooms;
using Collab.Storage.GroupCommit;
using Collab.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Collab.Storage.Sqlite;

/// <summary>What is in the file, and what stays when the store is closed and opened.</summary>
public sealed class SqliteFileTests : IDisposable
{
    private static readonly RoomKey Room = new(RoomKind.Document, "room");

    /// <summary>A file as the first version made it: a document of three entries, two of them compacted, and a channel of two.</summary>
    private const string FirstVersion =
        """
        CREATE TABLE meta (
            id INTEGER PRIMARY KEY CHECK (id = 1), schema_version INTEGER NOT NULL, database_id BLOB NOT NULL) STRICT;
        CREATE TABLE rooms (
            id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name TEXT NOT NULL, generation INTEGER NOT NULL, head INTEGER NOT NULL,
            snapshot INTEGER NOT NULL, UNIQUE (kind, name)) STRICT;
        CREATE TABLE entries (key INTEGER PRIMARY KEY, data BLOB NOT NULL, author TEXT, written_at INTEGER NOT NULL) STRICT;
        CREATE TABLE snapshots (room INTEGER PRIMARY KEY, offset INTEGER NOT NULL, data BLOB NOT NULL) STRICT;
        INSERT INTO meta VALUES (1, 1, x'000102030405060708090a0b0c0d0e0f');
        INSERT INTO rooms VALUES (1, 1, 'room', 1, 3, 2), (2, 2, 'other', 1, 2, 0);
        INSERT INTO entries VALUES ((1 << 36) + 3, x'63', NULL, 1000), ((2 << 36) + 1, x'313233', 'ada', 1000), ((2 << 36) + 2, x'343536', NULL, 1000);
        INSERT INTO snapshots VALUES (1, 2, x'6162');
        """;

    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Entries_snapshots_and_epochs_outlive_the_store()
    {
        string empty;
        var other = new RoomKey(RoomKind.Channel, "never-used");
        LogPage before;
        await using (var log = _folder.Open())
        {
            var last = await log.Append(Room, "a", "b", "c");
            Assert.True(await log.CompactAsync(Room, last with { Offset = 2 }, "ab"u8.ToArray(), default));
            before = await log.ReadAll(Room);
            empty = (await log.ReadAll(other)).Epoch;
        }

        await using (var log = _folder.Open())
        {
            var after = await log.ReadAll(Room);
            Assert.Equal((before.Epoch, 3L, 2L), (after.Epoch, after.Head, after.Snapshot!.Offset));
            Assert.Equal("c"u8, after.Entries.Single().Data.Span);
            Assert.Equal(empty, (await log.ReadAll(other)).Epoch);
            Assert.Equal(4, (await log.Append(Room, "d")).Offset);
        }
    }

    [Fact]
    public async Task Keys_and_where_a_log_begins_outlive_the_store()
    {
        var hour = TimeSpan.FromHours(1);
        await using (var log = _folder.Open())
        {
            await log.AppendOnce(Room, hour, "a", "b", "c");
            Assert.Equal(2, await log.TrimAsync(Room, new LogRetention(1, 100, hour), default));
        }

        await using (var log = _folder.Open())
        {
            Assert.Equal([2], (await log.AppendOnce(Room, hour, "b")).Offsets);
            var page = await log.ReadAll(Room);
            Assert.Equal((3L, 2L, 1), (page.Head, page.Trimmed, page.Entries.Count));
        }
    }

    [Fact]
    public async Task Expired_keys_are_swept_by_those_who_add_keys()
    {
        await using var log = _folder.Open();
        await log.AppendOnce(Room, TimeSpan.Zero, [.. Enumerable.Range(0, 100).Select(i => $"old {i}")]);
        for (var i = 0; i < 60; i++)
            await log.AppendOnce(Room, TimeSpan.FromHours(1), $"new {i}");
        using var reader = new SqliteDatabase(_folder.Settings()).OpenForReading();
        Assert.Equal("60", reader.Text("SELECT count(*) FROM keys"));
    }

    [Fact]
    public async Task A_file_of_the_first_version_is_brought_up_with_all_that_is_in_it()
    {
        using (var session = new SqliteSession(_folder.File, create: true, TimeSpan.Zero))
            session.Run(FirstVersion);

        await using (var log = _folder.Open())
        {
            var page = await log.ReadAll(Room);
            Assert.Equal((3L, 0L, "ab"), (page.Head, page.Trimmed, System.Text.Encoding.UTF8.GetString(page.Snapshot!.Data.Span)));
            Assert.Equal("c"u8, page.Entries.Single().Data.Span);
            Assert.Equal([4], (await log.AppendOnce(Room, TimeSpan.FromHours(1), "d")).Offsets);

            // Six bytes in two entries: that they are counted shows in what is trimmed.
            var other = new RoomKey(RoomKind.Channel, "other");
            Assert.Equal(0, await log.TrimAsync(other, new LogRetention(2, 6, TimeSpan.MaxValue), default));
            Assert.Equal(1, await log.TrimAsync(other, new LogRetention(2, 5, TimeSpan.MaxValue), default));
        }

        using var reader = new SqliteDatabase(_folder.Settings()).OpenForReading();
        Assert.Equal("2", reader.Text("SELECT schema_version FROM meta"));
    }

    [Fact]
    public async Task A_deleted_log_does_not_come_back_with_its_old_epoch()
    {
        string old, next;
        await using (var log = _folder.Open())
        {
            old = (await log.Append(Room, "a")).Epoch;
            Assert.True(await log.DeleteAsync(Room, default));
            next = (await log.ReadAll(Room)).Epoch;
        }

        await using (var log = _folder.Open())
            Assert.Equal(next, (await log.Append(Room, "b")).Epoch);
        Assert.NotEqual(old, next);
    }

    [Fact]
    public async Task A_new_database_has_other_epochs()
    {
        using var second = new DataFolder();
        await using var one = _folder.Open();
        await using var two = second.Open();
        Assert.NotEqual((await one.Append(Room, "a")).Epoch, (await two.Append(Room, "a")).Epoch);
    }

    [Fact]
    public async Task Two_stores_on_one_file_never_give_a_position_twice()
    {
        await using var one = _folder.Open(options => options.BusyTimeout = TimeSpan.FromSeconds(30));
        await one.Append(Room, "first");
        await using var two = _folder.Open(options => options.BusyTimeout = TimeSpan.FromSeconds(30));
        var positions = await Task.WhenAll(Enumerable.Range(0, 200).Select(
            i => Task.Run(async () => await (i % 2 == 0 ? one : two).Append(Room, $"{i}"))));
        Assert.Equal(Enumerable.Range(2, 200).Select(offset => (long)offset), positions.Select(position => position.Offset).Order());
        Assert.Equal(201, (await one.ReadAll(Room)).Entries.Count);
    }

    [Fact]
    public async Task What_waits_when_the_store_is_closed_is_committed()
    {
        Task<long>[] appends;
        await using (var log = _folder.Open())
            appends = [.. Enumerable.Range(0, 2000).Select(async i => (await log.Append(Room, $"{i}")).Offset)];
        Assert.Equal(Enumerable.Range(1, 2000).Select(offset => (long)offset), await Task.WhenAll(appends));
        await using (var log = _folder.Open())
            Assert.Equal(2000, (await log.ReadAll(Room)).Head);
    }

    [Fact]
    public async Task A_closed_store_leaves_one_file_and_refuses_calls()
    {
        var log = _folder.Open();
        await log.Append(Room, "a");
        await log.ReadAll(Room);
        await log.DisposeAsync();
        Assert.Equal([_folder.File], Directory.GetFiles(_folder.Path));
        await Assert.ThrowsAsync<RoomLogUnavailableException>(async () => await log.Append(Room, "b"));
        await Assert.ThrowsAsync<RoomLogUnavailableException>(async () => await log.ReadAll(Room));
    }

    [Fact]
    public void The_writer_syncs_at_every_commit_and_keeps_a_write_ahead_log()
    {
        using var session = new SqliteDatabase(_folder.Settings()).OpenForWriting();
        Assert.Equal("wal", session.Text("PRAGMA journal_mode"));
        Assert.Equal("2", session.Text("PRAGMA synchronous"));
        Assert.Equal("1000", session.Text("PRAGMA wal_autocheckpoint"));
        Assert.Equal("2", session.Text("PRAGMA auto_vacuum"));
    }

    [Fact]
    public async Task The_space_of_deleted_and_compacted_rooms_is_used_again()
    {
        await using var log = _folder.Open();
        var entry = new NewLogEntry(new byte[64 << 10]);
        var largest = 0L;
        for (var round = 0; round < 12; round++)
        {
            for (var i = 0; i < 8; i++)
                await log.AppendAsync(Room, [entry, entry, entry, entry], default);
            largest = Math.Max(largest, new FileInfo(_folder.File).Length + new FileInfo(_folder.WriteAheadLog).Length);
            Assert.True(await log.DeleteAsync(Room, default));
        }

        // One round is 2 MB; without reuse it would be 24 MB.
        Assert.InRange(largest, 1 << 20, 14 << 20);
    }

    [Fact]
    public async Task The_write_ahead_log_stays_bounded_while_there_are_always_readers()
    {
        await using var log = _folder.Open();
        var entry = new NewLogEntry(new byte[256 << 10]);
        await log.AppendAsync(Room, [entry], default);
        using var done = new CancellationTokenSource();
        var reading = Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                await log.ReadAsync(Room, 0, 100, 4 << 20, default);
                await Task.Yield();
            }
        })));
        var largest = 0L;
        for (var i = 0; i < 800; i++)
        {
            await log.AppendAsync(Room, [entry], default);
            largest = Math.Max(largest, new FileInfo(_folder.WriteAheadLog).Length);
        }

        await done.CancelAsync();
        await reading;
        // 200 MB were written.
        Assert.InRange(largest, 1 << 20, 100 << 20);
    }

    [Fact]
    public async Task A_file_of_a_newer_version_is_refused_with_a_reason()
    {
        await _folder.Open().DisposeAsync();
        using (var session = new SqliteSession(_folder.File, create: false, TimeSpan.Zero))
            session.Run("UPDATE meta SET schema_version = 99");
        await using var log = _folder.Open();
        var refused = await Assert.ThrowsAsync<RoomLogUnavailableException>(async () => await log.Append(Room, "a"));
        Assert.Contains("version 99", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<RoomLogUnavailableException>(async () => await log.ReadAll(Room));
    }

    [Fact]
    public async Task A_database_of_something_else_is_refused_and_left_alone()
    {
        using (var session = new SqliteSession(_folder.File, create: true, TimeSpan.Zero))
            session.Run("CREATE TABLE shopping (item TEXT)");
        var before = File.ReadAllBytes(_folder.File);
        await using (var log = _folder.Open())
            await Assert.ThrowsAsync<RoomLogUnavailableException>(async () => await log.Append(Room, "a"));
        Assert.Equal(before, File.ReadAllBytes(_folder.File));
    }

    [Fact]
    public void The_writer_tells_outcomes_only_of_what_it_has_committed()
    {
        var database = new SqliteDatabase(_folder.Settings());
        using var store = new SqliteBatchStore(database, TimeProvider.System, new StoreHealth(NullLogger.Instance, "writes", new StorageMetrics()));
        var append = new AppendWrite(Room, [new NewLogEntry("a"u8.ToArray())]);
        store.Commit([append]);
        // Another connection sees it: it was committed, not only written.
        using var reader = database.OpenForReading();
        Assert.Equal(append.Outcome.Last.Offset, SqliteQueries.ReadPage(reader, Room, 0, 10, 10, default).Head);
    }
}
