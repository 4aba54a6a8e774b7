namespace Collab.Server.Channels;

/// <summary>A part of a channel's history, read at one moment.</summary>
/// <param name="Epoch">The epoch of the log.</param>
/// <param name="Head">The offset of the last message that there was; 0 when none.</param>
/// <param name="After">The messages follow this offset without a gap.</param>
/// <param name="Messages">The messages, dense and in order.</param>
internal readonly record struct ChannelPage(string Epoch, long Head, long After, IReadOnlyList<StoredMessage> Messages)
{
    /// <summary>The offset that a reader has reached with this page.</summary>
    public long Through => Messages.Count > 0 ? Messages[^1].Offset : After;
}
