using System.Text;
using Collab.Protocol;
using Collab.Server.Rooms;
using Xunit;

namespace Collab.Testing;

/// <summary>What every <see cref="IRoomLog"/> must do. A provider inherits it and says how a store is made.</summary>
public abstract partial class RoomLogConformance : IAsyncLifetime
{
    private static readonly RoomKey Document = new(RoomKind.Document, "acme/plan");
    private static readonly RoomKey Channel = new(RoomKind.Channel, "acme/plan");

    private IRoomLog? _log;

    /// <summary>Makes an empty store.</summary>
    protected abstract ValueTask<IRoomLog> CreateAsync();

    protected IRoomLog Log => _log ?? throw new InvalidOperationException("The store is made before each test.");

    public async Task InitializeAsync() => _log = await CreateAsync();

    public virtual async Task DisposeAsync()
    {
        if (_log is IAsyncDisposable log)
            await log.DisposeAsync();
    }

    [Fact]
    public async Task A_room_without_entries_reads_as_empty_and_already_has_its_epoch()
    {
        var page = await Log.ReadAll(Document);
        Assert.Equal((0, null, 0), (page.Head, page.Snapshot, page.Entries.Count));
        Assert.Matches("^[0-9a-f]{8,}$", page.Epoch);
        Assert.Equal(new Position(page.Epoch, 1), await Log.Append(Document, "a"));
    }

    [Fact]
    public async Task The_heads_of_many_rooms_are_read_at_once_in_the_order_asked_for()
    {
        var document = await Log.Append(Document, "a");
        document = await Log.Append(Document, "b");
        var channel = await Log.Append(Channel, "c");
        var none = new RoomKey(RoomKind.Document, "none");

        var heads = await Log.ReadHeadsAsync([none, Channel, Document, Channel], default);

        Assert.Equal([new Position((await Log.ReadAll(none)).Epoch, 0), channel, document, channel], heads);
        Assert.Empty(await Log.ReadHeadsAsync([], default));
    }

    [Fact]
    public async Task Positions_of_a_room_are_dense_from_1()
    {
        var first = await Log.Append(Document, "a");
        Assert.Equal(1, first.Offset);
        Assert.Equal(first with { Offset = 2 }, await Log.Append(Document, "b"));
        Assert.Equal(first with { Offset = 3 }, await Log.Append(Document, "c"));
    }

    [Fact]
    public async Task Positions_stay_dense_under_many_writers_in_many_rooms()
    {
        const int Rooms = 8, Writers = 16, Each = 25;
        var appended = await Task.WhenAll(Enumerable.Range(0, Rooms * Writers).Select(writer => Task.Run(async () =>
        {
            var room = new RoomKey(RoomKind.Document, $"room-{writer % Rooms}");
            var mine = new List<(RoomKey Room, long Offset, string Text)>();
            for (var i = 0; i < Each; i++)
            {
                var text = $"{writer}:{i}";
                mine.Add((room, (await Log.Append(room, text)).Offset, text));
            }

            Assert.Equal(mine.Select(one => one.Offset).Order(), mine.Select(one => one.Offset));
            return mine;
        })));

        foreach (var room in appended.SelectMany(mine => mine).GroupBy(one => one.Room))
        {
            var page = await Log.ReadAll(room.Key);
            Assert.Equal(Writers * Each, page.Head);
            Assert.Equal(
                room.OrderBy(one => one.Offset).Select(one => (one.Offset, one.Text)),
                page.Entries.Select(entry => (entry.Offset, Text(entry))));
        }
    }

    [Fact]
    public async Task Entries_appended_together_stand_together_and_the_last_position_is_returned()
    {
        var appends = Enumerable.Range(0, 50).Select(async i => (i, await Log.Append(Document, $"{i}.0", $"{i}.1", $"{i}.2")));
        var appended = await Task.WhenAll(appends);
        var entries = (await Log.ReadAll(Document)).Entries;
        Assert.Equal(150, entries.Count);
        foreach (var (i, last) in appended)
            Assert.Equal([$"{i}.0", $"{i}.1", $"{i}.2"], entries.Skip((int)last.Offset - 3).Take(3).Select(Text));
    }

    [Fact]
    public async Task An_append_of_nothing_and_one_with_an_empty_entry_are_refused_whole()
    {
        await Assert.ThrowsAsync<ArgumentException>(async () => await Log.AppendAsync(Document, [], default));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Log.Append(Document, "a", ""));
        Assert.Equal(0, (await Log.ReadAll(Document)).Head);
    }

    [Fact]
    public async Task What_is_stored_does_not_change_with_the_callers_buffer()
    {
        var buffer = "before"u8.ToArray();
        await Log.AppendAsync(Document, [new NewLogEntry(buffer)], default);
        "after!"u8.CopyTo(buffer);
        Assert.Equal("before", Text((await Log.ReadAll(Document)).Entries[0]));
    }

    [Fact]
    public async Task A_reader_gets_what_follows_his_offset()
    {
        await Log.Append(Document, "a", "b", "c");
        var page = await Log.ReadAsync(Document, 1, 100, 1 << 20, default);
        Assert.Equal([(2, "b"), (3, "c")], page.Entries.Select(entry => (entry.Offset, Text(entry))));
        Assert.Equal(3, page.ReachedFrom(1));
        page = await Log.ReadAsync(Document, 3, 100, 1 << 20, default);
        Assert.Equal((3, 0), (page.Head, page.Entries.Count));
        page = await Log.ReadAsync(Document, 99, 100, 1 << 20, default);
        Assert.Equal((3, 0), (page.Head, page.Entries.Count));
    }

    [Fact]
    public async Task A_page_ends_at_its_limit_of_entries()
    {
        await Log.Append(Document, "a", "b", "c");
        var page = await Log.ReadAsync(Document, 0, 2, 1 << 20, default);
        Assert.Equal(["a", "b"], page.Entries.Select(Text));
        Assert.Equal(3, page.Head);
    }

    [Fact]
    public async Task A_page_ends_with_the_entry_that_reaches_its_limit_of_bytes()
    {
        await Log.Append(Document, "1234", "5678", "9");
        Assert.Equal(["1234", "5678"], (await Log.ReadAsync(Document, 0, 100, 5, default)).Entries.Select(Text));
        Assert.Equal(["1234"], (await Log.ReadAsync(Document, 0, 100, 4, default)).Entries.Select(Text));
        Assert.Equal(["1234"], (await Log.ReadAsync(Document, 0, 100, 0, default)).Entries.Select(Text));
    }

    [Fact]
    public async Task A_large_entry_comes_back_whole()
    {
        var large = new byte[4 << 20];
        new Random(1).NextBytes(large);
        await Log.AppendAsync(Document, [new NewLogEntry(large)], default);
        Assert.True((await Log.ReadAll(Document)).Entries[0].Data.Span.SequenceEqual(large));
    }

    [Fact]
    public async Task Author_and_time_are_kept()
    {
        var before = DateTimeOffset.UtcNow;
        await Log.AppendAsync(Document, [new NewLogEntry("a"u8.ToArray(), "ada"), new NewLogEntry("b"u8.ToArray())], default);
        var after = DateTimeOffset.UtcNow;
        var entries = (await Log.ReadAll(Document)).Entries;
        Assert.Equal(["ada", null], entries.Select(entry => entry.Author));
        // Times are kept in whole milliseconds.
        Assert.All(entries, entry => Assert.InRange(entry.WrittenAt, before.AddMilliseconds(-1), after));
    }

    [Fact]
    public async Task A_document_and_a_channel_of_one_name_are_two_rooms()
    {
        var document = await Log.Append(Document, "document");
        var channel = await Log.Append(Channel, "channel");
        Assert.False(document.IsSameLogAs(channel));
        Assert.Equal("document", Text(Assert.Single((await Log.ReadAll(Document)).Entries)));
        Assert.Equal("channel", Text(Assert.Single((await Log.ReadAll(Channel)).Entries)));
        Assert.True(await Log.DeleteAsync(Document, default));
        Assert.Equal(1, (await Log.ReadAll(Channel)).Head);
    }

    [Fact]
    public async Task A_snapshot_takes_the_place_of_entries_and_positions_stay()
    {
        var third = await Log.Append(Document, "a", "b", "c");
        Assert.True(await Log.CompactAsync(Document, third with { Offset = 2 }, "ab"u8.ToArray(), default));
        Assert.Equal(third with { Offset = 4 }, await Log.Append(Document, "d"));

        foreach (var after in (long[])[0, 1])
        {
            var page = await Log.ReadAsync(Document, after, 100, 1 << 20, default);
            Assert.Equal((2, "ab"), (page.Snapshot!.Offset, Encoding.UTF8.GetString(page.Snapshot.Data.Span)));
            Assert.Equal([(3, "c"), (4, "d")], page.Entries.Select(entry => (entry.Offset, Text(entry))));
        }

        var later = await Log.ReadAsync(Document, 2, 100, 1 << 20, default);
        Assert.Null(later.Snapshot);
        Assert.Equal(["c", "d"], later.Entries.Select(Text));
    }

    [Fact]
    public async Task A_log_that_is_all_snapshot_goes_on_where_it_was()
    {
        var second = await Log.Append(Document, "a", "b");
        Assert.True(await Log.CompactAsync(Document, second, "ab"u8.ToArray(), default));
        var page = await Log.ReadAll(Document);
        Assert.Equal((2, 2, 0), (page.Head, page.Snapshot!.Offset, page.Entries.Count));
        Assert.Equal(2, page.ReachedFrom(0));
        Assert.Equal(second with { Offset = 3 }, await Log.Append(Document, "c"));
    }

    [Fact]
    public async Task A_later_snapshot_replaces_an_earlier_one()
    {
        var third = await Log.Append(Document, "a", "b", "c");
        Assert.True(await Log.CompactAsync(Document, third with { Offset = 1 }, "A"u8.ToArray(), default));
        Assert.True(await Log.CompactAsync(Document, third with { Offset = 3 }, "ABC"u8.ToArray(), default));
        var page = await Log.ReadAll(Document);
        Assert.Equal((3, 3, 0), (page.Snapshot!.Offset, page.Snapshot.Data.Length, page.Entries.Count));
    }

    [Fact]
    public async Task Compaction_that_does_not_fit_the_log_is_refused_and_changes_nothing()
    {
        var third = await Log.Append(Document, "a", "b", "c");
        Assert.True(await Log.CompactAsync(Document, third with { Offset = 2 }, "ab"u8.ToArray(), default));

        Assert.False(await Log.CompactAsync(Document, new Position("0123456789ab", 3), "x"u8.ToArray(), default));
        Assert.False(await Log.CompactAsync(Document, third with { Offset = 1 }, "x"u8.ToArray(), default));
        Assert.False(await Log.CompactAsync(Document, third with { Offset = 4 }, "x"u8.ToArray(), default));
        Assert.False(await Log.CompactAsync(Channel, third, "x"u8.ToArray(), default));

        var page = await Log.ReadAll(Document);
        Assert.Equal((3, 2, "ab"), (page.Head, page.Snapshot!.Offset, Encoding.UTF8.GetString(page.Snapshot.Data.Span)));
        Assert.Equal(["c"], page.Entries.Select(Text));
    }

    [Fact]
    public async Task An_empty_log_cannot_be_compacted()
    {
        var epoch = (await Log.ReadAll(Document)).Epoch;
        Assert.False(await Log.CompactAsync(Document, new Position(epoch, 0), "x"u8.ToArray(), default));
        Assert.Null((await Log.ReadAll(Document)).Snapshot);
    }

    [Fact]
    public async Task Nothing_is_lost_when_it_is_compacted_while_others_append()
    {
        const int Writers = 8, Each = 100;
        var writing = Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++)
                await Log.Append(Document, $"{writer}:{i}");
        })));
        // The snapshot is the texts so far, one a line: what a snapshot and its rest say can be compared with what was written.
        var compactions = 0;
        while (!writing.IsCompleted || compactions == 0)
        {
            var page = await Log.ReadAll(Document);
            if (page.Entries.Count == 0)
                continue;
            var snapshot = Encoding.UTF8.GetBytes(string.Join('\n', Texts(page)));
            Assert.True(await Log.CompactAsync(Document, new Position(page.Epoch, page.ReachedFrom(0)), snapshot, default));
            compactions++;
        }

        await writing;
        var all = Texts(await Log.ReadAll(Document));
        Assert.Equal(
            Enumerable.Range(0, Writers).SelectMany(writer => Enumerable.Range(0, Each).Select(i => $"{writer}:{i}")).Order(),
            all.Order());
    }

    [Fact]
    public async Task A_page_is_one_moment()
    {
        // Each append adds a pair, each compaction counts what it replaces: a page that mixes two moments does not add up.
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < 200; i++)
            {
                var last = await Log.Append(Document, "x", "y");
                if (i % 5 == 4)
                    Assert.True(await Log.CompactAsync(Document, last, BitConverter.GetBytes(last.Offset), default));
            }
        });
        var pages = 0;
        while (!writing.IsCompleted || pages == 0)
        {
            var page = await Log.ReadAll(Document);
            var before = page.Snapshot is { } snapshot ? BitConverter.ToInt64(snapshot.Data.Span) : 0;
            Assert.Equal(page.Snapshot?.Offset ?? 0, before);
            Assert.Equal(0, page.Head % 2);
            Assert.Equal(page.Head, before + page.Entries.Count);
            pages++;
        }

        await writing;
    }

    [Fact]
    public async Task A_deleted_log_begins_again_with_another_epoch()
    {
        var old = await Log.Append(Document, "a", "b");
        Assert.True(await Log.CompactAsync(Document, old with { Offset = 1 }, "a"u8.ToArray(), default));
        Assert.True(await Log.DeleteAsync(Document, default));

        var page = await Log.ReadAll(Document);
        Assert.Equal((0, null, 0), (page.Head, page.Snapshot, page.Entries.Count));
        Assert.NotEqual(old.Epoch, page.Epoch);
        Assert.Equal(new Position(page.Epoch, 1), await Log.Append(Document, "c"));
        Assert.False(await Log.CompactAsync(Document, old with { Offset = 1 }, "x"u8.ToArray(), default));
        Assert.Equal(["c"], Texts(await Log.ReadAll(Document)));
    }

    [Fact]
    public async Task Deleting_what_is_not_there_says_so_and_keeps_the_epoch()
    {
        var epoch = (await Log.ReadAll(Document)).Epoch;
        Assert.False(await Log.DeleteAsync(Document, default));
        Assert.Equal(epoch, (await Log.Append(Document, "a")).Epoch);
        Assert.True(await Log.DeleteAsync(Document, default));
        Assert.False(await Log.DeleteAsync(Document, default));
    }

    [Fact]
    public async Task Rooms_are_listed_by_kind_in_ordinal_order()
    {
        foreach (var name in (string[])["b", "a/2", "B", "a", "a/1", "a~", "_"])
            await Log.Append(new RoomKey(RoomKind.Document, name), "x");
        await Log.Append(new RoomKey(RoomKind.Channel, "c"), "x");
        Assert.Equal(["B", "_", "a", "a/1", "a/2", "a~", "b"], await Log.ListAsync(RoomKind.Document, "", null, 100, default));
        Assert.Equal(["c"], await Log.ListAsync(RoomKind.Channel, "", null, 100, default));
    }

    [Fact]
    public async Task Rooms_are_listed_by_prefix_without_wildcards()
    {
        foreach (var name in (string[])["a_b", "axb", "a_c", "A_b", "a_"])
            await Log.Append(new RoomKey(RoomKind.Document, name), "x");
        Assert.Equal(["a_", "a_b", "a_c"], await Log.ListAsync(RoomKind.Document, "a_", null, 100, default));
        Assert.Empty(await Log.ListAsync(RoomKind.Document, "%", null, 100, default));
        Assert.Empty(await Log.ListAsync(RoomKind.Document, "' OR 1=1 --", null, 100, default));
    }

    [Fact]
    public async Task Rooms_are_listed_page_by_page()
    {
        var names = Enumerable.Range(0, 25).Select(i => $"room-{i:00}").ToArray();
        foreach (var name in names)
            await Log.Append(new RoomKey(RoomKind.Document, name), "x");
        var listed = new List<string>();
        string? after = null;
        while (await Log.ListAsync(RoomKind.Document, "room-", after, 10, default) is { Count: > 0 } page)
        {
            Assert.InRange(page.Count, 1, 10);
            listed.AddRange(page);
            after = page[^1];
        }

        Assert.Equal(names, listed);
    }

    [Fact]
    public async Task Compacted_rooms_are_listed_and_deleted_ones_are_not()
    {
        var last = await Log.Append(Document, "a");
        Assert.True(await Log.CompactAsync(Document, last, "a"u8.ToArray(), default));
        Assert.Equal([Document.Name], await Log.ListAsync(RoomKind.Document, "", null, 100, default));
        Assert.True(await Log.DeleteAsync(Document, default));
        Assert.Empty(await Log.ListAsync(RoomKind.Document, "", null, 100, default));
    }

    [Fact]
    public async Task A_cancelled_call_does_nothing()
    {
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await Log.AppendAsync(Document, [new NewLogEntry("a"u8.ToArray())], cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await Log.ReadAsync(Document, 0, 1, 1, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await Log.DeleteAsync(Document, cancelled));
        Assert.Equal(1, (await Log.Append(Document, "b")).Offset);
    }

    private static string Text(LogEntry entry) => Encoding.UTF8.GetString(entry.Data.Span);

    /// <summary>The texts of a page, those in its snapshot (one a line) first.</summary>
    private static IReadOnlyList<string> Texts(LogPage page) =>
    [
        .. page.Snapshot is { } snapshot ? Encoding.UTF8.GetString(snapshot.Data.Span).Split('\n') : [],
        .. page.Entries.Select(Text),
    ];
}
