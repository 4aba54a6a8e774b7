namespace Collab.Crdt.Tests;

/// <summary>The algebra on small updates that can be read by eye, and where it goes beyond yjs.</summary>
public sealed class UpdateAlgebraTests
{
    // Client 1 types "ab" and then "c" into the root "t"; client 2 types "x" after that.
    private static readonly byte[] Ab = Bytes("01 01 01 00 04 01 01 74 02 61 62 00");
    private static readonly byte[] C = Bytes("01 01 01 02 84 01 01 01 63 00");
    private static readonly byte[] X = Bytes("01 01 02 00 84 01 02 01 78 00");

    [Fact]
    public void No_updates_make_the_empty_update() => Assert.Equal(Updates.EmptyV1, Updates.MergeV1([]));

    [Fact]
    public void One_update_stays_as_it_is() => Assert.Equal(X, Updates.MergeV1([X]));

    [Fact]
    public void Merging_keeps_runs_apart_and_compacting_joins_them()
    {
        Assert.Equal(Bytes("01 02 01 00 04 01 01 74 02 61 62 84 01 01 01 63 00"), Updates.MergeV1([C, Ab]));
        Assert.Equal(Bytes("01 01 01 00 04 01 01 74 03 61 62 63 00"), Updates.CompactV1([C, Ab]));
    }

    [Fact]
    public void Clients_are_written_from_the_highest_id_down() =>
        Assert.Equal(Bytes("02 01 02 00 84 01 02 01 78 02 01 00 04 01 01 74 02 61 62 84 01 01 01 63 00"), Updates.MergeV1([Ab, X, C]));

    [Fact]
    public void What_is_missing_between_two_runs_becomes_a_gap() =>
        Assert.Equal(
            Bytes("01 03 01 00 04 01 01 74 02 61 62 0A 01 84 01 02 01 64 00"),
            Updates.MergeV1([Ab, Bytes("01 01 01 03 84 01 02 01 64 00")]));

    [Fact]
    public void Merging_is_idempotent_and_needs_no_order()
    {
        var merged = Updates.MergeV1([Ab, C, X]);
        Assert.Equal(merged, Updates.MergeV1([X, C, Ab, C, X, merged]));
        Assert.Equal(Updates.CompactV1([merged]), Updates.CompactV1([Updates.CompactV1([Ab, C]), X, Ab]));
    }

    [Fact]
    public void Clients_in_ascending_order_lose_nothing()
    {
        // yjs drops client 2 here.
        var ascending = Bytes("02 01 01 00 04 01 01 74 01 61 01 02 00 84 01 00 01 78 00");
        Assert.Equal(Bytes("02 01 02 00 84 01 00 01 78 01 01 00 04 01 01 74 01 61 00"), Updates.MergeV1([ascending, ascending]));
        Assert.Equal(Bytes("02 01 01 02 01"), Updates.StateVectorV1(ascending));
    }

    [Fact]
    public void Two_sections_of_one_client_become_one()
    {
        var twice = Bytes("02 01 01 02 84 01 01 01 63 01 01 00 04 01 01 74 02 61 62 00");
        Assert.Equal(Updates.MergeV1([Ab, C]), Updates.MergeV1([twice, Updates.EmptyV1.ToArray()]));
        Assert.Equal(Bytes("01 01 03"), Updates.StateVectorV1(twice));
        Assert.Equal(C, Updates.DiffV1(twice, Bytes("01 01 02")));
    }

    [Fact]
    public void A_difference_cuts_the_first_run_where_the_peer_stands() =>
        Assert.Equal(Bytes("01 01 01 01 84 01 00 01 62 00"), Updates.DiffV1(Ab, Bytes("01 01 01")));

    [Fact]
    public void A_difference_keeps_all_deletes_even_when_nothing_else_is_new() =>
        Assert.Equal(Bytes("00 01 01 01 00 01"), Updates.DiffV1(Bytes("01 01 01 00 04 01 01 74 02 61 62 01 01 01 00 01"), Bytes("01 01 02")));

    [Fact]
    public void A_cut_surrogate_pair_leaves_a_replacement_character() =>
        Assert.Equal(Bytes("01 01 01 01 84 01 00 04 EF BF BD 79 00"), Updates.DiffV1(Bytes("01 01 01 00 04 01 01 74 05 F0 9F 98 80 79 00"), Bytes("01 01 01")));

    [Fact]
    public void The_entries_of_a_map_are_not_joined_because_each_deletes_the_one_before()
    {
        var entries = Bytes("01 02 01 00 28 01 01 6D 01 6B 01 78 A8 01 00 01 79 00");
        Assert.Equal(entries, Updates.CompactV1([entries]));
    }

    [Fact]
    public void Deleted_ranges_that_touch_become_one() =>
        Assert.Equal(Bytes("00 02 09 01 00 01 01 01 02 05"), Updates.MergeV1([Bytes("00 01 01 02 04 03 02 02"), Bytes("00 02 09 01 00 01 01 00")]));

    [Theory, InlineData("00 00", true), InlineData("01 00 05 00 00", true), InlineData("00 01 01 01 00 01", false), InlineData("01 01 01 00 00 01 00", false)]
    public void An_update_is_empty_when_it_neither_inserts_nor_deletes(string hex, bool empty) =>
        Assert.Equal(empty, Updates.IsEmptyV1(Bytes(hex)));

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
