using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Collab.Crdt.Tests;

/// <summary>Sync and awareness messages made by y-protocols are read, and written back to the same bytes.</summary>
public sealed class VectorProtocolTests
{
    [Fact]
    public void Awareness_updates_carry_the_states_and_clocks_of_y_protocols()
    {
        Assert.NotEmpty(Vectors.Protocol);
        foreach (var step in Vectors.Protocol.SelectMany(protocol => protocol.GetProperty("awareness").EnumerateArray()))
        {
            var bytes = step.GetProperty("update").Bytes();
            var states = AwarenessUpdate.Decode(bytes);
            Assert.NotEmpty(states);
            foreach (var state in states)
            {
                var client = state.ClientId.ToString();
                Assert.Equal(step.GetProperty("clocks").GetProperty(client).GetUInt64(), state.Clock);
                Assert.Equal(state.IsNull, !step.GetProperty("after").TryGetProperty(client, out var expected));
                if (!state.IsNull)
                    Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected.GetRawText()), JsonNode.Parse(state.Json.Span)));
            }
            Assert.Equal(bytes, AwarenessUpdate.Encode([.. states]));
        }
    }

    [Fact]
    public void Two_clients_have_the_states_and_clocks_of_y_protocols_after_each_update()
    {
        foreach (var protocol in Vectors.Protocol)
        {
            var both = protocol.GetProperty("clients").EnumerateArray().Select(client => new Awareness(client.GetUInt64())).ToArray();
            foreach (var step in protocol.GetProperty("awareness").EnumerateArray())
            {
                var sender = both.Single(awareness => awareness.ClientId == step.GetProperty("from").GetUInt64());
                var receiver = both.Single(awareness => awareness != sender);
                var update = step.GetProperty("update").Bytes();
                sender.LocalState = AnyJson.Parse(AwarenessUpdate.Decode(update).Single().Json.Span, 0);
                Assert.Equal(update, sender.EncodeUpdate([sender.ClientId]));

                receiver.ApplyUpdate(update);
                var clocks = step.GetProperty("clocks").EnumerateObject().ToDictionary(clock => ulong.Parse(clock.Name), clock => clock.Value.GetUInt64());
                Assert.Equal(clocks, receiver.Clocks.ToDictionary());
                var states = step.GetProperty("after").EnumerateObject()
                    .ToDictionary(state => ulong.Parse(state.Name), state => AnyJson.Parse(Encoding.UTF8.GetBytes(state.Value.GetRawText()), 0));
                Assert.Equal(states, receiver.States.ToDictionary());
            }
            Array.ForEach(both, awareness => awareness.Dispose());
        }
    }

    [Fact]
    public void Sync_messages_carry_the_payloads_of_y_protocols()
    {
        foreach (var sync in Vectors.Protocol.Select(protocol => protocol.GetProperty("sync")))
        {
            AssertMessage(sync, "step1From2", SyncMessageKind.SyncStep1);
            AssertMessage(sync, "step2From1", SyncMessageKind.SyncStep2);
            AssertMessage(sync, "updateFrom2", SyncMessageKind.Update);
        }
    }

    [Fact]
    public void The_answer_to_a_first_step_is_the_difference_to_its_state_vector()
    {
        foreach (var sync in Vectors.Protocol.Select(protocol => protocol.GetProperty("sync")))
        {
            if (sync.OptionalBytes("doc1") is not { } document || sync.OptionalBytes("step1From2") is not { } step1)
                continue;
            var difference = Updates.DiffV1(document, SyncMessage.Read(step1).Payload);
            Assert.Equal(sync.GetProperty("step2From1").Bytes(), new SyncMessage(SyncMessageKind.SyncStep2, difference).ToArray());
        }
    }

    private static void AssertMessage(JsonElement sync, string property, SyncMessageKind kind)
    {
        if (sync.OptionalBytes(property) is not { } bytes)
            return;
        var message = SyncMessage.Read(bytes);
        Assert.Equal(kind, message.Kind);
        var fault = kind == SyncMessageKind.SyncStep1
            ? StateVector.Validate(message.Payload, UpdateLimits.Default)
            : Updates.ValidateV1(message.Payload, UpdateLimits.Default);
        Assert.Null(fault);
        Assert.Equal(bytes, message.ToArray());
    }
}
