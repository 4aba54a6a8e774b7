namespace Collab.Crdt.Tests;

/// <summary>Format v2 on bytes that can be read by eye: what only it can say, and what must not be believed.</summary>
public sealed class UpdateV2Tests
{
    // Client 1 types "ab" into the root "t".
    private static readonly byte[] Ab = Bytes("01 01 01 00 04 01 01 74 02 61 62 00");
    private static readonly byte[] AbV2 = V2(client: "01", info: "04", strings: "03 74 61 62 01 02", parentInfo: "01", rest: "01 01 00 00");

    [Fact]
    public void The_columns_are_those_of_yjs()
    {
        Assert.Equal(AbV2, Updates.ConvertV1ToV2(Ab));
        Assert.Equal(Ab, Updates.ConvertV2ToV1(AbV2));
        Assert.Equal(Updates.EmptyV2, Updates.MergeV2([]));
        Assert.True(Updates.IsEmptyV2(Updates.EmptyV2));
        Assert.False(Updates.IsEmptyV2(AbV2));
        Assert.Equal(AbV2, Updates.MergeV2([AbV2]));
    }

    [Fact]
    public void A_key_may_be_named_by_its_number()
    {
        // Two formats with the key "b", of which the second says: key 0 again.
        var interned = V2(keyClocks: "01 00", client: "41 00", leftClocks: "00", info: "06 00 86", strings: "02 74 62 41 00", parentInfo: "01", rest: "01 02 00 78 7E 00");
        Assert.Equal(Bytes("01 02 01 00 06 01 01 74 01 62 04 74 72 75 65 86 01 00 01 62 04 6E 75 6C 6C 00"), Updates.ConvertV2ToV1(interned));
        // Written again, the key stands there twice, as in yjs.
        var inFull = V2(keyClocks: "00 02", client: "41 00", leftClocks: "00", info: "06 00 86", strings: "03 74 62 62 41 01", parentInfo: "01", rest: "01 02 00 78 7E 00");
        Assert.Equal(inFull, Updates.CompactV2([interned]));
    }

    [Fact]
    public void A_surrogate_pair_that_two_strings_share_becomes_two_replacement_characters()
    {
        // The root "t", then "x" and half of 😀, then the other half and "y".
        var split = V2(client: "41 00", leftClocks: "02", info: "04 00 84", strings: "07 74 78 F0 9F 98 80 79 01 42 00", parentInfo: "01", rest: "01 02 00 00");
        Assert.Null(Updates.ValidateV2(split, UpdateLimits.Default));
        Assert.Equal(Bytes("01 02 01 00 04 01 01 74 04 78 EF BF BD 84 01 01 04 EF BF BD 79 00"), Updates.ConvertV2ToV1(split));
    }

    [Fact]
    public void What_JSON_cannot_say_survives_the_algebra_and_not_the_conversion()
    {
        // Embeds: undefined, the bytes 01 02, and {"n": 5n, "u": undefined}.
        const string Values = "7F 74 02 01 02 76 02 01 6E 7A 00 00 00 00 00 00 00 05 01 75 7F";
        var embeds = V2(client: "41 01", leftClocks: "01 00", info: "05 00 85", strings: "01 74 01", parentInfo: "01", rest: $"01 03 00 {Values} 00");
        Assert.Equal(embeds, Updates.MergeV2([embeds, embeds]));
        Assert.Equal(embeds, Updates.DiffV2(embeds, StateVector.Empty));
        var v1 = Updates.ConvertV2ToV1(embeds);
        Assert.Equal([.. "null"u8], v1[9..13]);
        Assert.Equal([.. """{"0":1,"1":2}"""u8], v1[17..30]);
        Assert.Equal([.. """{"n":5}"""u8], v1[34..41]);
    }

    [Theory]
    [InlineData("01 01 01 00 0B 01 01 74 7F 00")]
    [InlineData("01 01 01 00 0C 01 01 74 01 62 7F 00")]
    public void The_dialect_is_refused_wherever_it_could_come_from_outside(string hex)
    {
        var dialect = Bytes(hex);
        Assert.Equal(UpdateFaultKind.UnknownContent, Updates.ValidateV1(dialect, UpdateLimits.Default)?.Kind);
        Assert.Throws<InvalidUpdateException>(() => Updates.MergeV1([dialect]));
        Assert.Throws<InvalidUpdateException>(() => Updates.MergeV1([dialect, dialect]));
        Assert.Throws<InvalidUpdateException>(() => Updates.DiffV1(dialect, StateVector.Empty));
        Assert.Throws<InvalidUpdateException>(() => Updates.StateVectorV1(dialect));
        Assert.Throws<InvalidUpdateException>(() => Updates.IsEmptyV1(dialect));
        Assert.Throws<InvalidUpdateException>(() => Updates.ConvertV1ToV2(dialect));
        Assert.Equal(dialect, UpdateV2.ToV1(UpdateV2.FromV1(dialect), UpdateLimits.Default, json: false));
    }

    [Fact]
    public void Deletes_that_go_back_or_have_no_length_are_put_in_order() =>
        Assert.Equal(
            V2(rest: "00 02 09 01 00 00 01 02 00 03 01 00"),
            Updates.ConvertV1ToV2(Bytes("00 02 01 04 05 01 03 00 00 03 02 02 09 01 00 01")));

    [Fact]
    public void Many_equal_structs_in_few_bytes_are_believed_as_far_as_documents_have_them()
    {
        // Items that were put in front of one another and then deleted: the first, and 50,000 with the one before as right origin.
        static byte[] Queue(int structs) => V2(
            client: "41" + Varint((uint)structs - 2), rightClocks: "00 03" + Varint((uint)structs - 4), info: "01 00 41",
            strings: "01 74 01", parentInfo: "01", lengths: "41" + Varint((uint)structs - 2), rest: "01" + Varint((uint)structs) + " 00 00");

        var queue = Queue(50_001);
        var fault = Updates.ValidateV2(queue, UpdateLimits.Default);
        Assert.True(fault is null, fault.ToString());
        Assert.Equal(queue, Updates.ConvertV1ToV2(Updates.ConvertV2ToV1(queue)));
        Assert.Equal(UpdateFaultKind.TooLarge, Updates.ValidateV2(Queue(1_000_000), UpdateLimits.Default)?.Kind);
        Assert.Equal(UpdateFaultKind.TooLarge, Updates.ValidateV2(queue, new UpdateLimits { MaxStructs = 50_000 })?.Kind);
        Assert.Throws<InvalidUpdateException>(() => Updates.MergeV2([Queue(1_000_000), queue]));
    }

    [Fact]
    public void A_long_key_that_is_named_again_and_again_is_refused()
    {
        // 60,000 formats, all with the same key of 10,000 bytes.
        var key = string.Concat(Enumerable.Repeat("62", 10_000));
        var bomb = V2(
            keyClocks: "01" + Varint(59_998), client: "41" + Varint(59_998), leftClocks: "00 03" + Varint(59_996), info: "06 00 86",
            strings: Varint(10_001) + "74" + key + "01" + Signed(10_000), parentInfo: "01",
            rest: "01" + Varint(60_000) + "00" + string.Concat(Enumerable.Repeat("7E", 60_000)) + "00");
        Assert.Equal(UpdateFaultKind.TooLarge, Updates.ValidateV2(bomb, UpdateLimits.Default)?.Kind);
    }

    public static TheoryData<string, byte[], UpdateFaultKind, int> Broken => new()
    {
        { "an empty update of format v1", [0, 0], UpdateFaultKind.Truncated, 2 },
        { "a column behind the end", Bytes("00 00 7F 00 00 00 01 00 00 00 00 00 00"), UpdateFaultKind.Truncated, 2 },
        { "no string column", Bytes("00 00 00 00 00 00 00 00 00 00 00 00 00"), UpdateFaultKind.Truncated, 7 },
        { "text that is not UTF-8", V2(strings: "01 FF", rest: "00 00"), UpdateFaultKind.InvalidUtf8, 8 },
        { "a clock below 0", V2(client: "41 00", leftClocks: "42", info: "84", strings: "01 61 01", rest: "01 01 01 00"), UpdateFaultKind.InvalidReference, 7 },
        { "a key below 0", V2(keyClocks: "42", client: "01", info: "06", strings: "02 74 62 41 00", parentInfo: "01", rest: "01 01 00 7E 00"), UpdateFaultKind.InvalidReference, 3 },
        { "no client", V2(info: "00", lengths: "01", rest: "01 01 00 00"), UpdateFaultKind.Truncated, 3 },
        { "no info", V2(client: "01", lengths: "01", rest: "01 01 00 00"), UpdateFaultKind.Truncated, 7 },
        { "no length", V2(client: "01", info: "00", rest: "01 01 00 00"), UpdateFaultKind.Truncated, 13 },
        { "a string longer than the text", V2(client: "01", info: "04", strings: "02 74 61 01 02", parentInfo: "01", rest: "01 01 00 00"), UpdateFaultKind.Truncated, 14 },
        { "a move, as yrs makes", V2(client: "01", info: "0B", strings: "01 74 01", parentInfo: "01", rest: "01 01 00 00"), UpdateFaultKind.UnknownContent, 7 },
        { "a weak link, as yrs makes", V2(client: "01", info: "07", strings: "01 74 01", parentInfo: "01", typeRefs: "07", rest: "01 01 00 00"), UpdateFaultKind.UnknownType, 15 },
        { "more values than bytes", V2(client: "01", info: "08", strings: "01 74 01", parentInfo: "01", lengths: "3F", rest: "01 01 00 7E 00"), UpdateFaultKind.CountTooLarge, 17 },
        { "a billion empty JSON texts", V2(client: "01", info: "02", strings: "01 74 01 40 80 80 80 80 02", parentInfo: "01", lengths: "80 80 80 80 04", rest: "01 01 00 00"), UpdateFaultKind.TooLarge, 27 },
        { "a clock over 2^31", V2(client: "01", info: "0A", strings: "00", rest: "01 01 01 80 80 80 80 08 00"), UpdateFaultKind.ClockTooLarge, 16 },
        { "a delete beyond 2^31", V2(rest: "00 01 01 01 00 80 80 80 80 08"), UpdateFaultKind.ClockTooLarge, 15 },
        { "bytes behind the end", V2(rest: "00 00 00"), UpdateFaultKind.TrailingBytes, 13 },
        // What only the check of format v1 finds has its place in the last column: that of the second struct.
        { "a parent that is a text", V2(client: "41 00", leftClocks: "00", info: "04", strings: "03 74 61 62 41 01", parentInfo: "01 00 00", rest: "01 02 00 00"), UpdateFaultKind.InvalidParent, 26 },
    };

    [Theory, MemberData(nameof(Broken))]
    public void The_first_fault_is_named_with_its_offset(string what, byte[] update, UpdateFaultKind kind, int offset)
    {
        var fault = Updates.ValidateV2(update, UpdateLimits.Default);
        Assert.True(fault is { } found && (found.Kind, found.Offset) == (kind, offset), $"{what}: {fault}");
        Surviving.AllOperationsV2(update, what);
    }

    [Fact]
    public void Nesting_costs_no_call_stack()
    {
        var depth = 200_000;
        var nested = string.Concat(Enumerable.Repeat("75 01", depth)) + "7E";
        var embed = V2(client: "01", info: "05", strings: "01 74 01", parentInfo: "01", rest: $"01 01 00 {nested} 00");
        Assert.Equal(UpdateFaultKind.TooDeep, Updates.ValidateV2(embed, UpdateLimits.Default)?.Kind);
        Assert.Equal(embed, Updates.MergeV2([embed, embed]));
        Assert.Equal(UpdateFaultKind.TooDeep, Assert.Throws<InvalidUpdateException>(() => Updates.ConvertV2ToV1(embed)).Fault.Kind);
    }

    /// <summary>An update of format v2 from its columns, as hexadecimal digits.</summary>
    private static byte[] V2(
        string keyClocks = "", string client = "", string leftClocks = "", string rightClocks = "", string info = "", string strings = "00",
        string parentInfo = "", string typeRefs = "", string lengths = "", string rest = "")
    {
        using var writer = new Lib0Writer(256);
        writer.WriteByte(0);
        foreach (var column in new[] { keyClocks, client, leftClocks, rightClocks, info, strings, parentInfo, typeRefs, lengths })
            writer.WriteVarBytes(Bytes(column));
        writer.WriteBytes(Bytes(rest));
        return writer.ToArray();
    }

    private static string Varint(uint value)
    {
        using var writer = new Lib0Writer(16);
        writer.WriteVarUint(value);
        return Convert.ToHexString(writer.Written);
    }

    private static string Signed(int value)
    {
        using var writer = new Lib0Writer(16);
        writer.WriteVarInt(value, isNegative: false);
        return Convert.ToHexString(writer.Written);
    }

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
