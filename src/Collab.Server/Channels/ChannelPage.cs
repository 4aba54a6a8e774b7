namespace Collab.Server.Channels;

/// <summary>A part of a channel's history, read at one moment, as one kind of reader sees it.</summary>
/// <param name="Epoch">The epoch of the log.</param>
/// <param name="Head">The offset of the last message that there was; 0 when none.</param>
/// <param name="After">The page has what follows this offset, without a gap…</param>
/// <param name="Through">… up to and including this one, which is where a reader is with it.</param>
/// <param name="Messages">The messages, in order: all, or those that the reader gets.</param>
internal readonly record struct ChannelPage(string Epoch, long Head, long After, long Through, IReadOnlyList<StoredMessage> Messages)
{
    /// <summary>A page of all messages.</summary>
    public static ChannelPage Dense(string epoch, long head, long after, IReadOnlyList<StoredMessage> messages) =>
        new(epoch, head, after, messages.Count > 0 ? messages[^1].Offset : after, messages);
}
