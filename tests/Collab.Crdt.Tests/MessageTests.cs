using System.Text;

namespace Collab.Crdt.Tests;

/// <summary>Sync messages, awareness updates and state vectors from strangers are read within limits.</summary>
public sealed class MessageTests
{
    [Theory]
    [InlineData("", UpdateFaultKind.Truncated)]
    [InlineData("03 00", UpdateFaultKind.UnknownMessage)]
    [InlineData("00 05 00", UpdateFaultKind.Truncated)]
    [InlineData("00 01 00 00", UpdateFaultKind.TrailingBytes)]
    public void A_broken_sync_message_is_refused(string hex, UpdateFaultKind kind) =>
        Assert.Equal(kind, Assert.Throws<InvalidUpdateException>(() => SyncMessage.Read(Bytes(hex)).Kind).Fault.Kind);

    [Fact]
    public void Sync_messages_can_follow_one_another()
    {
        byte[] both = [.. new SyncMessage(SyncMessageKind.SyncStep1, StateVector.Empty).ToArray(), .. new SyncMessage(SyncMessageKind.Update, Updates.EmptyV1).ToArray()];
        Assert.Equal(SyncMessageKind.SyncStep1, SyncMessage.Read(both, out var consumed).Kind);
        Assert.Equal(Updates.EmptyV1, SyncMessage.Read(both.AsSpan(consumed)).Payload);
    }

    [Theory]
    [InlineData("", UpdateFaultKind.Truncated)]
    [InlineData("7F 01 01 01 30", UpdateFaultKind.CountTooLarge)]
    [InlineData("01 01 01 09 30", UpdateFaultKind.Truncated)]
    [InlineData("01 01 01 02 7B 5D", UpdateFaultKind.InvalidJson)]
    [InlineData("01 01 01 01 FF", UpdateFaultKind.InvalidUtf8)]
    [InlineData("01 01 01 04 5B 5B 5D 5D", UpdateFaultKind.TooDeep)]
    [InlineData("01 01 01 0A 22 61 61 61 61 61 61 61 61 22", UpdateFaultKind.TooLarge)]
    [InlineData("02 01 01 01 30 02 01 01 30", UpdateFaultKind.TooLarge)]
    [InlineData("01 01 01 01 30 00", UpdateFaultKind.TrailingBytes)]
    public void A_broken_awareness_update_is_refused(string hex, UpdateFaultKind kind)
    {
        var limits = new AwarenessLimits { MaxClients = 1, MaxStateBytes = 8, MaxDepth = 1 };
        Assert.Equal(kind, AwarenessUpdate.TryDecode(Bytes(hex), limits, out var states)?.Kind);
        Assert.Empty(states);
    }

    [Fact]
    public void An_awareness_state_is_null_when_its_client_has_gone()
    {
        var gone = new AwarenessState(1, 2, Encoding.UTF8.GetBytes("null"));
        var here = new AwarenessState(ulong.MaxValue >> 11, 3, Encoding.UTF8.GetBytes("""{"name":"Ωmega"}"""));
        var states = AwarenessUpdate.Decode(AwarenessUpdate.Encode([gone, here]));
        Assert.Equal([(1UL, 2UL, true), (ulong.MaxValue >> 11, 3UL, false)], states.Select(state => (state.ClientId, state.Clock, state.IsNull)));
    }

    [Theory]
    [InlineData("00", null)]
    [InlineData("01 01 05", null)]
    [InlineData("", UpdateFaultKind.Truncated)]
    [InlineData("09 01 05", UpdateFaultKind.CountTooLarge)]
    [InlineData("01 01 81 80 80 80 08", UpdateFaultKind.ClockTooLarge)]
    [InlineData("00 00", UpdateFaultKind.TrailingBytes)]
    public void State_vectors_are_checked(string hex, UpdateFaultKind? kind) =>
        Assert.Equal(kind, StateVector.Validate(Bytes(hex), UpdateLimits.Default)?.Kind);

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
