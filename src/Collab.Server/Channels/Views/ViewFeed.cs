using Collab.Protocol;
using Collab.Server.Fanout;

namespace Collab.Server.Channels.Views;

/// <summary>
/// Tells those who follow a view what the channel holds for them: one for all who follow the same view on this node. It is called by one at a time.
/// </summary>
/// <remarks>
/// What it has sent brings every member to one offset, so members' cursors are at what they were told. What was not for them is told
/// together with the next message, or once a second.
/// </remarks>
internal sealed class ViewFeed(ChannelView view, CollabLifetimeManager connections, Position head)
{
    // The members have been told up to here…
    private long _told = head.Offset;
    // … and it has been looked through up to there.
    private long _read = head.Offset;

    public ChannelView View => view;

    /// <summary>How many follow it. Guarded by <see cref="ChannelViews"/>.</summary>
    public int Members { get; set; }

    /// <summary>The epoch of the log that it reads.</summary>
    public string Epoch => head.Epoch;

    /// <summary>The last offset that it has looked at.</summary>
    public long Read => _read;

    /// <summary>Takes in a part of the channel.</summary>
    /// <param name="after">The part follows this offset…</param>
    /// <param name="through">… up to this one.</param>
    /// <param name="messages">Those of it that are for the members.</param>
    public ValueTask TakeAsync(long after, long through, IEnumerable<StoredMessage> messages)
    {
        if (through <= _read)
            return default;
        // Members who lack what lies between fall behind, and get it from the log.
        if (after > _read)
            _told = after;
        _read = through;
        List<StoredMessage> theirs = [.. messages.SkipWhile(message => message.Offset <= _told)];
        return theirs.Count == 0 ? default : SendAsync(theirs[^1].Offset, theirs);
    }

    /// <summary>Tells the members how far they are, when something was not for them.</summary>
    public ValueTask TellProgressAsync() => _read > _told ? SendAsync(_read, []) : default;

    private async ValueTask SendAsync(long through, IReadOnlyList<StoredMessage> messages)
    {
        var batch = new ChannelBatch(view.Key, head.Epoch, _told, through, isGap: false, StoredMessage.CountSkipped(_told, messages));
        _told = through;
        var invocation = batch.ToInvocation();
        await connections.SendGroupAsync(view.Group, invocation.Target, invocation.Arguments!);
    }
}
