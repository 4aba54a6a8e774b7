namespace Collab.Crdt.Tests;

/// <summary>What the validator says of real bytes: the kind of the first fault, and where it stands.</summary>
public sealed class UpdateValidationTests
{
    // A struct of client 1 at clock 0 in the root "t", then the delete set: `01 01 01 00 <struct> 00`.
    public static TheoryData<string, string> Valid => new()
    {
        { "nothing at all", "00 00" },
        { "text", "01 01 01 00 04 01 01 74 02 68 69 00" },
        { "an empty text, which some versions sent", "01 01 01 00 04 01 01 74 00 00" },
        { "a collected run", "01 01 01 00 00 05 00" },
        { "a gap", "01 01 01 00 0A 05 00" },
        { "deleted content", "01 01 01 00 01 01 01 74 05 00" },
        { "old JSON content with an undefined", "01 01 01 00 02 01 01 74 02 01 31 09 75 6E 64 65 66 69 6E 65 64 00" },
        { "no bytes", "01 01 01 00 03 01 01 74 00 00" },
        { "an embed", "01 01 01 00 05 01 01 74 02 7B 7D 00" },
        { "the end of a format", "01 01 01 00 06 01 01 74 01 62 04 6E 75 6C 6C 00" },
        { "a nested text", "01 01 01 00 07 01 01 74 02 00" },
        { "an XML element with its name", "01 01 01 00 07 01 01 74 03 01 70 00" },
        { "all plain values", "01 01 01 00 08 01 01 74 06 7F 7E 7D C1 01 7C 00 00 00 00 7B 00 00 00 00 00 00 00 00 7A 00 00 00 00 00 00 00 00 00" },
        { "nested values", "01 01 01 00 08 01 01 74 02 75 02 78 79 76 01 01 6B 74 01 FF 00" },
        { "a map entry", "01 01 01 00 28 01 01 74 01 6B 01 78 00" },
        { "a subdocument", "01 01 01 00 09 01 01 74 01 67 76 00 00" },
        { "the child of a type in the same update", "01 02 01 00 07 01 01 74 00 08 00 01 00 01 78 00" },
        { "the child of an item that is not here", "01 01 01 00 08 00 02 00 01 78 00" },
        { "a client with 53 bits", "01 01 FF FF FF FF FF FF FF 0F 00 00 01 00" },
        { "a padded number", "01 01 01 80 00 00 01 00" },
        { "a delete of what is not here", "00 01 09 01 00 05" },
        { "a delete of nothing", "00 01 09 01 00 00" },
        { "the last clock", "01 01 01 00 00 80 80 80 80 08 00" },
    };

    [Theory, MemberData(nameof(Valid))]
    public void What_a_yjs_client_makes_is_valid(string what, string hex)
    {
        var update = Bytes(hex);
        Assert.True(Updates.ValidateV1(update, UpdateLimits.Default) is null, $"{what}: {Updates.ValidateV1(update, UpdateLimits.Default)}");
        Assert.Null(Updates.ValidateV1(Updates.CompactV1([update]), UpdateLimits.Default));
    }

    public static TheoryData<string, string, UpdateFaultKind, int> Invalid => new()
    {
        { "no bytes", "", UpdateFaultKind.Truncated, 0 },
        { "a delete set is missing", "00", UpdateFaultKind.Truncated, 1 },
        { "more sections than bytes", "05 00", UpdateFaultKind.CountTooLarge, 0 },
        { "more structs than bytes", "01 FF FF 03 01 00 00 01 00", UpdateFaultKind.CountTooLarge, 1 },
        { "a number over 53 bits", "00 01 FF FF FF FF FF FF FF 1F 01 00 00", UpdateFaultKind.NumberTooLarge, 2 },
        { "a text longer than the rest", "01 01 01 00 04 01 01 74 09 68 69 00", UpdateFaultKind.Truncated, 8 },
        { "half a surrogate pair", "01 01 01 00 04 01 01 74 03 ED A0 80 00", UpdateFaultKind.InvalidUtf8, 9 },
        { "a root name that is no text", "01 01 01 00 04 01 01 FF 01 78 00", UpdateFaultKind.InvalidUtf8, 7 },
        { "a move, as yrs makes", "01 01 01 00 0B 01 01 74 01 00", UpdateFaultKind.UnknownContent, 4 },
        { "a gap with flags", "01 01 01 00 8A 01 01 00 05 00", UpdateFaultKind.UnknownContent, 4 },
        { "a weak link, as yrs makes", "01 01 01 00 07 01 01 74 07 00", UpdateFaultKind.UnknownType, 8 },
        { "an unknown value", "01 01 01 00 08 01 01 74 01 73 00", UpdateFaultKind.UnknownValue, 9 },
        { "a subdocument without options", "01 01 01 00 09 01 01 74 01 67 7E 00", UpdateFaultKind.UnknownValue, 10 },
        { "JSON that is none", "01 01 01 00 05 01 01 74 02 7B 5D 00", UpdateFaultKind.InvalidJson, 10 },
        { "an empty JSON text", "01 01 01 00 05 01 01 74 00 00", UpdateFaultKind.InvalidJson, 9 },
        { "no values", "01 01 01 00 08 01 01 74 00 00", UpdateFaultKind.EmptyStruct, 4 },
        { "a collected run of nothing", "01 01 01 00 00 00 00", UpdateFaultKind.EmptyStruct, 4 },
        { "an origin that is the struct itself", "01 01 01 00 84 01 00 01 78 00", UpdateFaultKind.InvalidReference, 5 },
        { "a right origin that comes later", "01 01 01 00 44 01 07 01 78 00", UpdateFaultKind.InvalidReference, 5 },
        { "a parent that is the struct itself", "01 01 01 00 04 00 01 00 01 78 00", UpdateFaultKind.InvalidReference, 6 },
        { "a parent that is a text", "01 02 01 00 04 01 01 74 01 61 04 00 01 00 01 62 00", UpdateFaultKind.InvalidParent, 12 },
        { "a parent that is a text in one of two sections that overlap", "03 01 01 00 04 01 01 74 0A 61 61 61 61 61 61 61 61 61 61 01 01 03 04 01 01 74 02 78 78 01 02 00 04 00 01 07 01 79 00", UpdateFaultKind.InvalidParent, 34 },
        { "a parent that is neither name nor id", "01 01 01 00 04 02 01 74 01 78 00", UpdateFaultKind.InvalidParent, 5 },
        { "a clock over 2^31", "01 01 01 00 00 81 80 80 80 08 00", UpdateFaultKind.ClockTooLarge, 5 },
        { "a clock and a length over 2^31", "01 01 01 01 00 80 80 80 80 08 00", UpdateFaultKind.ClockTooLarge, 4 },
        { "a delete beyond 2^31", "00 01 01 01 01 80 80 80 80 08", UpdateFaultKind.ClockTooLarge, 4 },
        { "bytes behind the end", "00 00 00", UpdateFaultKind.TrailingBytes, 2 },
    };

    [Theory, MemberData(nameof(Invalid))]
    public void The_first_fault_is_named_with_its_offset(string what, string hex, UpdateFaultKind kind, int offset)
    {
        var fault = Updates.ValidateV1(Bytes(hex), UpdateLimits.Default);
        Assert.True(fault is { } found && (found.Kind, found.Offset) == (kind, offset), $"{what}: {fault}");
    }

    [Fact]
    public void Sizes_and_counts_are_limited()
    {
        var update = Bytes("01 02 01 00 04 01 01 74 01 61 84 01 00 01 62 00");
        Assert.Null(Updates.ValidateV1(update, new UpdateLimits { MaxBytes = update.Length, MaxStructs = 2, MaxClock = 2 }));
        Assert.Equal(UpdateFaultKind.TooLarge, Updates.ValidateV1(update, new UpdateLimits { MaxBytes = update.Length - 1 })?.Kind);
        Assert.Equal(UpdateFaultKind.TooLarge, Updates.ValidateV1(update, new UpdateLimits { MaxStructs = 1 })?.Kind);
        Assert.Equal(UpdateFaultKind.ClockTooLarge, Updates.ValidateV1(update, new UpdateLimits { MaxClock = 1 })?.Kind);
    }

    [Theory, InlineData("75 01", "7E"), InlineData("76 01 01 6B", "7E")]
    public void Values_nest_up_to_the_limit(string open, string innermost)
    {
        Assert.Null(Updates.ValidateV1(Nested(16), new UpdateLimits { MaxDepth = 16 }));
        Assert.Equal(UpdateFaultKind.TooDeep, Updates.ValidateV1(Nested(17), new UpdateLimits { MaxDepth = 16 })?.Kind);

        byte[] Nested(int depth) =>
            Bytes("01 01 01 00 08 01 01 74 01" + string.Concat(Enumerable.Repeat(open, depth)) + innermost + "00");
    }

    [Fact]
    public void Json_nests_up_to_the_limit()
    {
        Assert.Null(Updates.ValidateV1(Nested(16), new UpdateLimits { MaxDepth = 16 }));
        Assert.Equal(UpdateFaultKind.TooDeep, Updates.ValidateV1(Nested(17), new UpdateLimits { MaxDepth = 16 })?.Kind);

        static byte[] Nested(int depth) =>
            [1, 1, 1, 0, 5, 1, 1, (byte)'t', (byte)(2 * depth), .. Enumerable.Repeat((byte)'[', depth), .. Enumerable.Repeat((byte)']', depth), 0];
    }

    [Fact]
    public void Shared_types_nest_up_to_the_limit()
    {
        Assert.Null(Updates.ValidateV1(Nested(16), new UpdateLimits { MaxTypeDepth = 16 }));
        Assert.Equal(UpdateFaultKind.TooDeep, Updates.ValidateV1(Nested(18), new UpdateLimits { MaxTypeDepth = 16 })?.Kind);

        // A type in a root, and types each in the one before.
        static byte[] Nested(int depth) =>
            [1, (byte)depth, 1, 0, 7, 1, 1, (byte)'t', 0, .. Enumerable.Range(0, depth - 1).SelectMany(i => new byte[] { 7, 0, 1, (byte)i, 0 }), 0];
    }

    [Fact]
    public void A_ring_of_parents_is_refused_or_left_to_wait_but_never_followed_for_ever()
    {
        // Two types of two clients, each the parent of the other.
        var ring = Bytes("02 01 02 00 07 00 01 00 00 01 01 00 07 00 02 00 00 00");
        Assert.Equal(UpdateFaultKind.TooDeep, Updates.ValidateV1(ring, new UpdateLimits { MaxTypeDepth = 1 })?.Kind);
    }

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
