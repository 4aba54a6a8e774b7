using Collab.Protocol;
using Collab.Server.Rooms;
using Xunit;

namespace Collab.Testing;

/// <summary>What channels need of a log: trimming, keys of appends, reading backwards.</summary>
public abstract partial class RoomLogConformance
{
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);
    private static readonly LogRetention Everything = new(long.MaxValue, long.MaxValue, TimeSpan.MaxValue);

    [Fact]
    public async Task An_append_says_where_its_entries_are_and_when_they_were_written()
    {
        await Log.Append(Channel, "a", "b");
        var append = await Log.AppendOnce(Channel, Long, "c", "d");
        var page = await Log.ReadAll(Channel);
        Assert.Equal((page.Epoch, 2), (append.Epoch, append.After));
        Assert.Equal([3, 4], append.Offsets);
        Assert.Equal(new Position(page.Epoch, 4), append.Last);
        Assert.All(page.Entries.Skip(2), entry => Assert.Equal(append.WrittenAt, entry.WrittenAt));
    }

    [Fact]
    public async Task A_trimmed_log_begins_later_and_positions_stay()
    {
        var last = await Log.Append(Channel, "a", "b", "c", "d");
        Assert.Equal(3, await Log.TrimAsync(Channel, Everything with { MaxEntries = 1 }, default));
        Assert.Equal(last with { Offset = 5 }, await Log.Append(Channel, "e"));

        foreach (var after in (long[])[0, 2, 3])
        {
            var page = await Log.ReadAsync(Channel, after, 100, 1 << 20, default);
            Assert.Equal((5, 3, null), (page.Head, page.Trimmed, page.Snapshot));
            Assert.Equal([(4, "d"), (5, "e")], page.Entries.Select(entry => (entry.Offset, Text(entry))));
        }
    }

    [Fact]
    public async Task A_log_of_which_nothing_is_kept_goes_on_where_it_was()
    {
        var last = await Log.Append(Channel, "a", "b");
        Assert.Equal(2, await Log.TrimAsync(Channel, Everything with { MaxEntries = 0 }, default));
        var page = await Log.ReadAll(Channel);
        Assert.Equal((2, 2, 0, 2), (page.Head, page.Trimmed, page.Entries.Count, page.ReachedFrom(0)));
        Assert.Equal(last with { Offset = 3 }, await Log.Append(Channel, "c"));
        Assert.Equal(["c"], Texts(await Log.ReadAll(Channel)));
        Assert.Equal([Channel.Name], await Log.ListAsync(RoomKind.Channel, "", null, 100, default));
    }

    [Fact]
    public async Task A_log_is_trimmed_by_count_by_bytes_and_by_age()
    {
        await Log.Append(Channel, "1234", "5678", "90", "ab");
        Assert.Equal(0, await Log.TrimAsync(Channel, Everything, default));
        Assert.Equal(0, await Log.TrimAsync(Channel, new LogRetention(4, 12, Long), default));
        Assert.Equal(1, await Log.TrimAsync(Channel, Everything with { MaxEntries = 3 }, default));
        Assert.Equal(1, await Log.TrimAsync(Channel, Everything with { MaxBytes = 7 }, default));
        Assert.Equal(["90", "ab"], Texts(await Log.ReadAll(Channel)));
        Assert.Equal(0, await Log.TrimAsync(Channel, Everything with { MaxBytes = 4 }, default));
        Assert.Equal(2, await Log.TrimAsync(Channel, Everything with { MaxAge = TimeSpan.Zero }, default));
    }

    [Fact]
    public async Task A_long_log_is_trimmed_batch_by_batch()
    {
        const int Batch = LogRetention.MaxTrim;
        await Log.Append(Channel, [.. Enumerable.Range(1, 2 * Batch + 10).Select(i => $"{i}")]);
        var keep = Everything with { MaxEntries = 5 };
        Assert.Equal(Batch, await Log.TrimAsync(Channel, keep, default));
        Assert.Equal(Batch, await Log.TrimAsync(Channel, keep, default));
        Assert.Equal(5, await Log.TrimAsync(Channel, keep, default));
        Assert.Equal(0, await Log.TrimAsync(Channel, keep, default));
        Assert.Equal((2 * Batch + 5, 5), ((await Log.ReadAll(Channel)).Trimmed, (await Log.ReadAll(Channel)).Entries.Count));
    }

    [Fact]
    public async Task A_log_is_trimmed_or_compacted_but_not_both()
    {
        var last = await Log.Append(Document, "a", "b", "c");
        Assert.True(await Log.CompactAsync(Document, last with { Offset = 2 }, "ab"u8.ToArray(), default));
        Assert.Equal(0, await Log.TrimAsync(Document, Everything with { MaxEntries = 0 }, default));
        Assert.Equal(["ab", "c"], Texts(await Log.ReadAll(Document)));

        last = await Log.Append(Channel, "a", "b", "c");
        Assert.Equal(1, await Log.TrimAsync(Channel, Everything with { MaxEntries = 2 }, default));
        Assert.False(await Log.CompactAsync(Channel, last, "bc"u8.ToArray(), default));
        Assert.Equal(["b", "c"], Texts(await Log.ReadAll(Channel)));
        Assert.Equal(0, await Log.TrimAsync(new RoomKey(RoomKind.Channel, "none"), Everything, default));
    }

    [Fact]
    public async Task A_trimmed_log_that_is_deleted_begins_anew()
    {
        var old = await Log.Append(Channel, "a", "b");
        await Log.TrimAsync(Channel, Everything with { MaxEntries = 1 }, default);
        Assert.True(await Log.DeleteAsync(Channel, default));
        var next = await Log.Append(Channel, "c");
        Assert.NotEqual(old.Epoch, next.Epoch);
        var page = await Log.ReadAll(Channel);
        Assert.Equal((1, 0), (page.Head, page.Trimmed));
        Assert.Equal(0, await Log.TrimAsync(Channel, Everything with { MaxBytes = 1 }, default));
    }

    [Fact]
    public async Task An_entry_whose_key_was_seen_is_not_appended_again()
    {
        var first = (await Log.AppendOnce(Channel, Long, "a")).Last;
        await Log.Append(Channel, "between");
        var again = await Log.AppendOnce(Channel, Long, "a");
        Assert.Equal((first, 2), (again.Last, again.After));
        Assert.Equal(["a", "between"], Texts(await Log.ReadAll(Channel)));
    }

    [Fact]
    public async Task Of_an_append_only_what_is_new_is_appended()
    {
        await Log.AppendOnce(Channel, Long, "a", "b");
        var append = await Log.AppendOnce(Channel, Long, "c", "a", "d", "c");
        Assert.Equal([3, 1, 4, 3], append.Offsets);
        Assert.Equal(["a", "b", "c", "d"], Texts(await Log.ReadAll(Channel)));
    }

    [Fact]
    public async Task A_key_is_of_one_room_and_one_life_of_its_log()
    {
        await Log.AppendOnce(Channel, Long, "a");
        Assert.Equal(1, (await Log.AppendOnce(Document, Long, "a")).Last.Offset);
        Assert.True(await Log.DeleteAsync(Channel, default));
        var append = await Log.AppendOnce(Channel, Long, "a");
        Assert.Equal((0, 1), (append.After, append.Last.Offset));
        Assert.Equal(["a"], Texts(await Log.ReadAll(Channel)));
    }

    [Fact]
    public async Task A_key_is_forgotten_after_its_window()
    {
        await Log.AppendOnce(Channel, TimeSpan.Zero, "a");
        Assert.Equal(2, (await Log.AppendOnce(Channel, Long, "a")).Last.Offset);
        Assert.Equal(2, (await Log.AppendOnce(Channel, Long, "a")).Last.Offset);
    }

    [Fact]
    public async Task A_key_is_remembered_when_its_entry_is_trimmed()
    {
        var first = (await Log.AppendOnce(Channel, Long, "a")).Last;
        await Log.TrimAsync(Channel, Everything with { MaxEntries = 0 }, default);
        Assert.Equal(first, (await Log.AppendOnce(Channel, Long, "a")).Last);
        Assert.Empty((await Log.ReadAll(Channel)).Entries);
    }

    [Fact]
    public async Task Of_many_who_append_with_one_key_at_once_one_appends_and_all_get_its_position()
    {
        var appends = await Task.WhenAll(Enumerable.Range(0, 50).Select(
            _ => Task.Run(async () => (await Log.AppendOnce(Channel, Long, "a")).Last)));
        Assert.Equal(1, Assert.Single(appends.Distinct()).Offset);
        Assert.Equal(1, (await Log.ReadAll(Channel)).Head);
    }

    [Fact]
    public async Task The_newest_entries_are_read_backwards_and_come_in_order()
    {
        await Log.Append(Channel, "a", "b", "c", "d");
        var page = await Log.ReadBeforeAsync(Channel, long.MaxValue, 2, 1 << 20, default);
        Assert.Equal((4, 0), (page.Head, page.Trimmed));
        Assert.Equal([(3, "c"), (4, "d")], page.Entries.Select(entry => (entry.Offset, Text(entry))));
        page = await Log.ReadBeforeAsync(Channel, 3, 100, 1 << 20, default);
        Assert.Equal([(1, "a"), (2, "b")], page.Entries.Select(entry => (entry.Offset, Text(entry))));
        Assert.Empty((await Log.ReadBeforeAsync(Channel, 1, 100, 1 << 20, default)).Entries);
        Assert.Empty((await Log.ReadBeforeAsync(Channel, 0, 100, 1 << 20, default)).Entries);
        Assert.Empty((await Log.ReadBeforeAsync(Document, 9, 100, 1 << 20, default)).Entries);
    }

    [Fact]
    public async Task A_page_read_backwards_ends_before_its_limit_of_bytes_but_is_never_empty()
    {
        await Log.Append(Channel, "1", "2345", "6789");
        Assert.Equal(["2345", "6789"], Texts(await Log.ReadBeforeAsync(Channel, long.MaxValue, 100, 8, default)));
        Assert.Equal(["6789"], Texts(await Log.ReadBeforeAsync(Channel, long.MaxValue, 100, 7, default)));
        Assert.Equal(["6789"], Texts(await Log.ReadBeforeAsync(Channel, long.MaxValue, 100, 1, default)));
    }

    [Fact]
    public async Task A_page_read_backwards_ends_where_the_log_was_trimmed()
    {
        await Log.Append(Channel, "a", "b", "c");
        await Log.TrimAsync(Channel, Everything with { MaxEntries = 2 }, default);
        var page = await Log.ReadBeforeAsync(Channel, long.MaxValue, 100, 1 << 20, default);
        Assert.Equal((1, 2), (page.Trimmed, page.Entries.Count));
        Assert.Empty((await Log.ReadBeforeAsync(Channel, 2, 100, 1 << 20, default)).Entries);
    }

    [Fact]
    public async Task Nothing_is_missing_when_it_is_trimmed_while_others_append_and_read()
    {
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < 300; i++)
                await Log.Append(Channel, "x", "y");
        });
        while (!writing.IsCompleted)
        {
            await Log.TrimAsync(Channel, Everything with { MaxEntries = 10 }, default);
            var page = await Log.ReadAll(Channel);
            Assert.Equal(page.Head, page.Trimmed + page.Entries.Count);
        }

        await writing;
        while (await Log.TrimAsync(Channel, Everything with { MaxEntries = 10 }, default) > 0)
            continue;
        var last = await Log.ReadAll(Channel);
        Assert.Equal((600, 590, 10), (last.Head, last.Trimmed, last.Entries.Count));
    }
}
