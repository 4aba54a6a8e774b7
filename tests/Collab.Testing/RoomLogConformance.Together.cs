using System.Text;
using Collab.Protocol;
using Collab.Server.Rooms;
using Xunit;

namespace Collab.Testing;

public abstract partial class RoomLogConformance
{
    private static readonly RoomKey Note = new(RoomKind.System, "note");

    [Fact]
    public async Task What_is_appended_to_several_rooms_at_once_is_there_in_each()
    {
        var before = await Log.Append(Channel, "a");

        var done = await Log.AppendAsync([new(Channel, Entries("b", "c")), new(Note, Entries("n"))], default);

        Assert.Equal((before.Offset, before with { Offset = 3 }), (done![0].After, done[0].Last));
        Assert.Equal((0, 1), (done[1].After, done[1].Last.Offset));
        Assert.Equal(["a", "b", "c"], await TextsAsync(Channel));
        Assert.Equal(["n"], await TextsAsync(Note));
    }

    [Fact]
    public async Task Nothing_is_appended_when_one_room_is_not_where_it_must_be()
    {
        var head = await Log.Append(Note, "n1");
        await Log.Append(Note, "n2");

        Assert.Null(await Log.AppendAsync([new(Channel, Entries("a")), new(Note, Entries("n3"), head)], default));
        Assert.Null(await Log.AppendAsync([new(Note, Entries("n3"), head with { Epoch = "0123456789ab", Offset = 2 }), new(Channel, Entries("a"))], default));

        Assert.Empty(await TextsAsync(Channel));
        Assert.Equal(["n1", "n2"], await TextsAsync(Note));
    }

    [Fact]
    public async Task A_room_is_where_it_must_be_also_when_it_is_empty_or_was_deleted()
    {
        var empty = (await Log.ReadHeadsAsync([Note], default))[0];
        var first = (await Log.AppendAsync([new(Note, Entries("n1"), empty)], default))![0].Last;
        Assert.Null(await Log.AppendAsync([new(Note, Entries("n2"), empty)], default));
        await Log.DeleteAsync(Note, default);

        Assert.Null(await Log.AppendAsync([new(Note, Entries("n2"), first)], default));
        Assert.Null(await Log.AppendAsync([new(Note, Entries("n2"), empty)], default));
        Assert.NotNull(await Log.AppendAsync([new(Note, Entries("n2"), (await Log.ReadHeadsAsync([Note], default))[0])], default));
    }

    [Fact]
    public async Task Of_many_who_append_after_the_same_position_one_does()
    {
        var head = await Log.Append(Note, "n");

        var done = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(async () =>
            await Log.AppendAsync([new(Channel, Entries($"c{i}")), new(Note, Entries($"n{i}"), head)], default))));

        Assert.Single(done, append => append is not null);
        Assert.Single(await TextsAsync(Channel));
        Assert.Equal(2, (await TextsAsync(Note)).Count);
    }

    [Fact]
    public async Task What_is_derived_knows_the_positions_of_what_was_appended_before_it()
    {
        await Log.Append(Channel, "a");

        var done = await Log.AppendAsync(
            [
                new(Channel, Entries("b", "c")),
                new(Note, [], Derive: before => Entries($"{before[0].After}-{before[0].Last.Offset}")),
                new(Document, Entries("d"), Derive: before => Entries($"{before.Count}")),
            ],
            default);

        Assert.Equal(["1-3"], await TextsAsync(Note));
        Assert.Equal(["d", "2"], await TextsAsync(Document));
        Assert.Equal([1, 2], done![2].Offsets);
    }

    [Fact]
    public async Task What_derives_nothing_appends_nothing()
    {
        var key = new AppendKey("k", TimeSpan.FromMinutes(1));
        RoomAppend[] appends =
        [
            new(Channel, [new NewLogEntry("a"u8.ToArray(), Key: key)]),
            new(Note, [], Derive: before => before[0].Last.Offset > before[0].After ? Entries("new") : []),
        ];

        await Log.AppendAsync(appends, default);
        var again = await Log.AppendAsync(appends, default);

        Assert.Equal([1], again![0].Offsets);
        Assert.Equal(1, again[1].After);
        Assert.Empty(again[1].Offsets);
        Assert.Equal(["new"], await TextsAsync(Note));
    }

    [Fact]
    public async Task Appends_to_several_rooms_from_all_sides_give_every_room_all_of_them_in_one_order()
    {
        RoomKey[] rooms = [Channel, Document, Note];
        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => Task.Run(async () =>
        {
            var order = i % 2 == 0 ? rooms : [.. rooms.Reverse()];
            await Log.AppendAsync([.. order.Select(room => new RoomAppend(room, Entries($"{i}")))], default);
        })));

        var texts = await TextsAsync(Channel);
        Assert.Equal(60, texts.Distinct().Count());
        Assert.Equal(texts, await TextsAsync(Document));
        Assert.Equal(texts, await TextsAsync(Note));
    }

    [Fact]
    public async Task An_append_to_no_room_or_twice_to_one_or_of_nothing_is_refused()
    {
        await Assert.ThrowsAsync<ArgumentException>(async () => await Log.AppendAsync([], default));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Log.AppendAsync([new(Channel, [])], default));
        await Assert.ThrowsAsync<ArgumentException>(async () => await Log.AppendAsync([new(Channel, Entries("a")), new(Channel, Entries("b"))], default));
    }

    private static NewLogEntry[] Entries(params string[] texts) => [.. texts.Select(text => new NewLogEntry(Encoding.UTF8.GetBytes(text)))];

    private async Task<IReadOnlyList<string>> TextsAsync(RoomKey room) =>
        [.. (await Log.ReadAll(room)).Entries.Select(entry => Encoding.UTF8.GetString(entry.Data.Span))];
}
