using Collab.Server.Fanout;

namespace Collab.Server.Channels;

/// <summary>Messages of one channel as the subscribers are told of them.</summary>
/// <param name="Epoch">The epoch of the log.</param>
/// <param name="After">They follow this offset without a gap.</param>
/// <param name="Messages">The messages, at least one, in order.</param>
internal sealed record ChannelFrame(string Epoch, long After, List<StoredMessage> Messages) : IFeedFrame<ChannelFrame>
{
    public long Through => Messages[^1].Offset;

    public ChannelFrame Beyond(long offset) => new(Epoch, offset, Messages.FindAll(message => message.Offset > offset));
}
