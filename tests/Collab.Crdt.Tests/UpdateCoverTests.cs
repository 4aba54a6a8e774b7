namespace Collab.Crdt.Tests;

/// <summary>Whether an update holds all that another does.</summary>
public sealed class UpdateCoverTests
{
    // Client 1 types "abc" into the root "t"; "b" is deleted; client 2 types "x" behind a gap of one unit.
    private const string Abc = "01 01 01 00 04 01 01 74 03 61 62 63 00";
    private const string AbcWithoutB = "01 01 01 00 04 01 01 74 03 61 62 63 01 01 01 01 01";
    private const string Ab = "01 01 01 00 04 01 01 74 02 61 62 00";
    private const string X = "01 01 02 01 84 01 02 01 78 00";
    private const string CollectedAbc = "01 01 01 00 00 03 01 01 01 00 03";
    private const string Gap = "01 02 01 00 0A 02 84 01 01 01 63 00";

    [Theory]
    [InlineData(Abc, Abc, true)]
    [InlineData(Abc, Ab, true)]
    [InlineData(Ab, Abc, false)]
    [InlineData(Abc, "00 00", true)]
    [InlineData("00 00", Abc, false)]
    [InlineData(AbcWithoutB, Abc, true)]
    [InlineData(Abc, AbcWithoutB, false)]
    [InlineData(CollectedAbc, AbcWithoutB, true)]
    [InlineData(Abc, X, false)]
    [InlineData(Gap, Ab, false)]
    [InlineData(Abc, Gap, true)]
    public void It_holds_another_when_it_has_its_units_and_its_deletes(string update, string other, bool covers) =>
        Assert.Equal(covers, Updates.CoversV1(Bytes(update), Bytes(other)));

    [Fact]
    public void A_merge_holds_what_it_was_merged_from_also_behind_gaps()
    {
        var merged = Updates.MergeV1([Bytes(Ab), Bytes(X)]);

        Assert.True(Updates.CoversV1(merged, Bytes(X)));
        Assert.False(Updates.CoversV1(Bytes(Ab), merged));
    }

    [Theory]
    [InlineData(Abc, "00 00", new[] { 1 })]
    [InlineData(X, "00 00", new[] { 2 })]
    [InlineData("00 00", "00 00", new int[0])]
    [InlineData("00 01 01 01 00 01", "00 00", new int[0])]
    [InlineData(Abc, Abc, new int[0])]
    [InlineData(Abc, Ab, new[] { 1 })]
    [InlineData(Ab, Abc, new int[0])]
    [InlineData(Gap, "00 00", new[] { 1 })]
    [InlineData(Gap, Ab, new[] { 1 })]
    [InlineData(Gap, Abc, new int[0])]
    public void Who_inserts_what_another_does_not_hold_is_told(string update, string known, int[] clients) =>
        Assert.Equal(clients.Select(client => (ulong)client), Updates.InsertersV1(Bytes(update), Bytes(known)));

    [Fact]
    public void Each_inserter_is_told_once()
    {
        var several = Updates.MergeV1([Bytes(Abc), Bytes(X), Bytes("01 01 01 09 84 01 08 01 78 00")]);

        Assert.Equal([2, 1], Updates.InsertersV1(several, Updates.EmptyV1));
    }

    [Fact]
    public void Bytes_that_are_no_update_are_refused() =>
        Assert.Throws<InvalidUpdateException>(() => Updates.CoversV1(Bytes(Abc), [1, 1]));

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
