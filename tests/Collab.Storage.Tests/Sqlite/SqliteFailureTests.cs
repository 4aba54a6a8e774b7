using Collab.Server.Rooms;
using Collab.Testing;
using Microsoft.Data.Sqlite;

namespace Collab.Storage.Sqlite;

/// <summary>
/// What the store does when its file cannot be used: it refuses with <see cref="RoomLogUnavailableException"/>, stores nothing, and
/// works again, without a restart, when the cause is gone.
/// </summary>
public sealed class SqliteFailureTests : IDisposable
{
    private static readonly RoomKey Room = new(RoomKind.Document, "room");

    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_locked_file_refuses_appends_until_it_is_unlocked()
    {
        await using var log = _folder.Open();
        await log.Append(Room, "a");
        using (var other = new SqliteSession(_folder.File, create: false, TimeSpan.Zero))
        {
            other.Run("BEGIN IMMEDIATE");
            Assert.Equal(5, await Refused(log)); // SQLITE_BUSY
            await Assert.ThrowsAsync<RoomLogUnavailableException>(async () => await log.CheckAsync(default));
            Assert.Equal(1, (await log.ReadAll(Room)).Head);
            other.Run("ROLLBACK");
        }

        await WorksWithNothingStoredMeanwhile(log);
    }

    [Fact]
    public async Task While_the_file_is_locked_all_who_wait_are_refused_together()
    {
        await using var log = _folder.Open(options => options.BusyTimeout = TimeSpan.FromSeconds(1));
        await log.Append(Room, "a");
        using var other = new SqliteSession(_folder.File, create: false, TimeSpan.Zero);
        other.Run("BEGIN IMMEDIATE");
        // Many times what one transaction takes: one after the other they would be refused after ten timeouts.
        var started = TimeProvider.System.GetTimestamp();
        var appends = Enumerable.Range(0, 5120).Select(async _ => await log.Append(Room, "b")).ToArray();
        foreach (var append in appends)
            await Assert.ThrowsAsync<RoomLogUnavailableException>(() => append);
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_database_that_may_not_grow_refuses_appends_until_something_is_deleted()
    {
        await using var log = _folder.Open(options => options.MaxPages = 300);
        var other = new RoomKey(RoomKind.Document, "other");
        await log.Append(Room, "a");
        await FillUp(log, other);
        Assert.Equal(13, await Refused(log, 64 << 10)); // SQLITE_FULL
        Assert.Equal(1, (await log.ReadAll(Room)).Head);
        Assert.True(await log.DeleteAsync(other, default));
        await WorksWithNothingStoredMeanwhile(log, 64 << 10);
    }

    [MountFact]
    public async Task A_full_disk_refuses_appends_until_there_is_space()
    {
        using var disk = new SmallDisk(_folder.Path);
        await using var log = _folder.Open();
        await log.Append(Room, "a");
        var ballast = disk.FillUp();
        Assert.Contains(await Refused(log, 256 << 10), (int?[])[10, 13]); // SQLITE_IOERR, SQLITE_FULL
        Assert.Equal(1, (await log.ReadAll(Room)).Head);
        File.Delete(ballast);
        await WorksWithNothingStoredMeanwhile(log, 256 << 10);
    }

    [MountFact]
    public async Task A_read_only_disk_refuses_appends_until_it_is_writable()
    {
        using var disk = new SmallDisk(_folder.Path);
        await using (var before = _folder.Open())
            await before.Append(Room, "a");
        disk.Remount("ro");
        await using var log = _folder.Open();
        Assert.Contains(await Refused(log), (int?[])[8, 14]); // SQLITE_READONLY, SQLITE_CANTOPEN
        await Assert.ThrowsAsync<RoomLogUnavailableException>(async () => await log.CheckAsync(default));
        disk.Remount("rw");
        await WorksWithNothingStoredMeanwhile(log);
    }

    [Fact]
    public async Task A_file_deleted_under_the_store_refuses_calls_until_it_is_back()
    {
        await using (var before = _folder.Open())
            await before.Append(Room, "a");
        var copy = File.ReadAllBytes(_folder.File);
        await using var log = _folder.Open();
        Assert.Equal(1, (await log.ReadAll(Room)).Head);
        foreach (var file in Directory.GetFiles(_folder.Path))
            File.Delete(file);

        await Assert.ThrowsAsync<RoomLogUnavailableException>(async () => await log.Append(Room, "refused"));
        await Assert.ThrowsAsync<RoomLogUnavailableException>(async () => await log.ReadAll(Room));
        Assert.False(File.Exists(_folder.File), "a database that was there must not be replaced by an empty one");
        File.WriteAllBytes(_folder.File, copy);
        await WorksWithNothingStoredMeanwhile(log);
    }

    [Fact]
    public async Task A_write_ahead_log_without_its_database_is_not_taken_for_a_new_start()
    {
        File.WriteAllBytes(_folder.WriteAheadLog, new byte[4096]);
        await using (var log = _folder.Open())
            await Assert.ThrowsAsync<RoomLogUnavailableException>(async () => await log.Append(Room, "a"));
        Assert.False(File.Exists(_folder.File));
    }

    [Theory]
    [InlineData("its header is zeroed")]
    [InlineData("its second half is missing")]
    [InlineData("it is emptied")]
    [InlineData("all but its header is noise")]
    public async Task A_damaged_file_is_neither_served_nor_replaced_and_works_when_restored(string damage)
    {
        await using (var before = _folder.Open())
            await before.Append(Room, "a");
        var good = File.ReadAllBytes(_folder.File);
        var bad = good.ToArray();
        switch (damage)
        {
            case "its header is zeroed": bad.AsSpan(0, 100).Clear(); break;
            case "its second half is missing": bad = bad[..(bad.Length / 2)]; break;
            case "it is emptied": bad = []; break;
            default: new Random(1).NextBytes(bad.AsSpan(100)); break;
        }

        File.WriteAllBytes(_folder.File, bad);
        await using var log = _folder.Open();
        await Assert.ThrowsAsync<RoomLogUnavailableException>(async () => await log.ReadAll(Room));
        await Assert.ThrowsAsync<RoomLogUnavailableException>(async () => await log.Append(Room, "refused"));
        await Assert.ThrowsAsync<RoomLogUnavailableException>(async () => await log.ListAsync(RoomKind.Document, "", null, 9, default));
        await Assert.ThrowsAsync<RoomLogUnavailableException>(async () => await log.CheckAsync(default));
        Assert.Equal(bad, File.ReadAllBytes(_folder.File));

        File.WriteAllBytes(_folder.File, good);
        await WorksWithNothingStoredMeanwhile(log);
    }

    [Theory]
    [InlineData("DELETE FROM entries WHERE key & 0xfff = 2")]
    [InlineData("DELETE FROM entries WHERE key & 0xfff = 3")]
    [InlineData("DELETE FROM snapshots")]
    public async Task A_log_with_a_hole_is_not_served(string hole)
    {
        await using (var before = _folder.Open())
        {
            var last = await before.Append(Room, "a", "b", "c");
            Assert.True(await before.CompactAsync(Room, last with { Offset = 1 }, "a"u8.ToArray(), default));
        }

        using (var session = new SqliteSession(_folder.File, create: false, TimeSpan.Zero))
            session.Run(hole);
        await using var log = _folder.Open();
        await Assert.ThrowsAsync<RoomLogUnavailableException>(async () => await log.ReadAll(Room));
    }

    [Fact]
    public async Task An_entry_that_does_not_fit_fails_alone_and_whole()
    {
        await using var log = _folder.Open(options => options.MaxRowBytes = 100_000);
        var good = Enumerable.Range(0, 300).Select(async i => (await log.Append(Room, $"{i}")).Offset).ToArray();
        var bad = log.AppendAsync(Room, [new NewLogEntry(new byte[10]), new NewLogEntry(new byte[200_000])], default).AsTask();
        var more = Enumerable.Range(0, 300).Select(async i => (await log.Append(Room, $"{i}")).Offset).ToArray();

        var refused = await Assert.ThrowsAsync<RoomLogUnavailableException>(() => bad);
        Assert.Equal(18, Assert.IsType<SqliteException>(refused.InnerException).SqliteErrorCode); // SQLITE_TOOBIG
        Assert.Equal(
            Enumerable.Range(1, 600).Select(offset => (long)offset),
            (await Task.WhenAll([.. good, .. more])).Order());
        Assert.Equal(600, (await log.ReadAll(Room)).Entries.Count);
    }

    [Fact]
    public async Task The_log_says_once_that_the_store_fails_and_once_that_it_works_again()
    {
        var lines = new LogLines<SqliteRoomLog>();
        await using var log = _folder.Open(logger: lines);
        await log.Append(Room, "a");
        using (var other = new SqliteSession(_folder.File, create: false, TimeSpan.Zero))
        {
            other.Run("BEGIN IMMEDIATE");
            await Refused(log);
            await Refused(log);
            other.Run("ROLLBACK");
        }

        await log.Append(Room, "b");
        Assert.Equal([4001, 4002, 4003], lines.EventIds);
    }

    /// <summary>Appends one entry, which must be refused.</summary>
    /// <returns>SQLite's primary result code.</returns>
    private static async Task<int?> Refused(SqliteRoomLog log, int bytes = 10)
    {
        var refused = await Assert.ThrowsAsync<RoomLogUnavailableException>(
            async () => await log.AppendAsync(Room, [new NewLogEntry(new byte[bytes])], default));
        return (refused.InnerException as SqliteException)?.SqliteErrorCode;
    }

    private static async Task WorksWithNothingStoredMeanwhile(SqliteRoomLog log, int bytes = 10)
    {
        Assert.Equal(2, (await log.AppendAsync(Room, [new NewLogEntry(new byte[bytes])], default)).Last.Offset);
        await log.CheckAsync(default);
        Assert.Equal([1, bytes], (await log.ReadAll(Room)).Entries.Select(entry => entry.Data.Length));
    }

    private static async Task FillUp(SqliteRoomLog log, RoomKey room)
    {
        var refused = await Record.ExceptionAsync(async () =>
        {
            while (true)
                await log.AppendAsync(room, [new NewLogEntry(new byte[32 << 10])], default);
        });
        Assert.IsType<RoomLogUnavailableException>(refused);
    }
}
