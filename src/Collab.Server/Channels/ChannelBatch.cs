using Collab.Protocol;
using Collab.Server.Fanout;
using Collab.Server.Rooms;
using Microsoft.AspNetCore.SignalR.Protocol;

namespace Collab.Server.Channels;

/// <summary>Messages of one channel that go out in one write, to each connection in its own format.</summary>
/// <param name="room">The channel, or the part of it, as its readers have named it (<see cref="Views.ChannelAddress"/>).</param>
/// <param name="epoch">The epoch of its log.</param>
/// <param name="after">The batch brings a reader from this offset…</param>
/// <param name="through">… to this one.</param>
/// <param name="isGap">Messages after <paramref name="after"/> are lost for the reader: the history no longer has them.</param>
/// <param name="messages">The messages, in order.</param>
internal sealed class ChannelBatch(
    RoomKey room, string epoch, long after, long through, bool isGap, IReadOnlyList<StoredMessage> messages) : FrameBatch
{
    public override RoomKey Room => room;

    public override long After => after;

    public override long Through => through;

    public bool IsGap => isGap;

    /// <summary>What the messages follow.</summary>
    public Position Gap => new(epoch, messages.Count > 0 ? messages[0].Offset - (messages[0].Message.Skipped ?? 0) - 1 : through);

    /// <summary>Where the batch brings a reader.</summary>
    public Position Position => new(epoch, through);

    public IReadOnlyList<StoredMessage> Stored => messages;

    /// <summary>
    /// Whether it brings a reader further than its last message says: what else there was is not for him. Of a gap alone the next message tells.
    /// </summary>
    public bool AdvancesFurther => messages.Count > 0 ? messages[^1].Offset < through : !isGap;

    public override IEnumerable<InvocationMessage> Messages
    {
        get
        {
            for (var i = 0; i < messages.Count; i++)
                yield return new InvocationMessage(HubContract.MessageReceived, [room.Name, messages[i].Message]);
            if (AdvancesFurther)
                yield return new InvocationMessage(HubContract.ChannelAdvanced, [room.Name, Position.ToString()]);
        }
    }

    /// <summary>The batch as one invocation, for the lifetime manager.</summary>
    public InvocationMessage ToInvocation() => new(HubContract.MessageReceived, [room.Name, this]);
}
