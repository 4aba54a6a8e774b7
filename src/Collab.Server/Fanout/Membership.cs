using Collab.Server.Rooms;

namespace Collab.Server.Fanout;

/// <summary>
/// One connection's place in one room: the cursor into the room's log, and whether it follows live. Guarded by its outbox' lock.
/// </summary>
/// <param name="room">The room.</param>
/// <param name="group">The SignalR group in which he is for it.</param>
/// <param name="source">What the member is served from when he has fallen behind.</param>
/// <param name="ended">Called once, when the connection is no more in the room by this membership; null when nobody needs to know.</param>
internal sealed class Membership(RoomKey room, string group, IRoomSource source, Action? ended)
{
    public RoomKey Room { get; } = room;

    public string Group { get; private set; } = group;

    public IRoomSource Source { get; private set; } = source;

    public void End() => ended?.Invoke();

    /// <summary>Gives the member another source and group. He goes on where he is.</summary>
    /// <returns>What is to be called as he is not in the former group any more.</returns>
    public Action? Move(string toGroup, IRoomSource toSource, Action? whenEnded)
    {
        var former = ended;
        (Group, Source, ended) = (toGroup, toSource, whenEnded);
        return former;
    }

    /// <summary>The offset up to which the member's messages have been written or stand in the outbox.</summary>
    public long Cursor { get; set; }

    /// <summary>The highest offset that was sent to the room while the member was not live.</summary>
    public long Missed { get; set; }

    public MembershipMode Mode { get; set; } = MembershipMode.Joining;

    /// <summary>Decides what a frame is to this member. True when it is to be sent, or when he must begin to catch up.</summary>
    public bool Accepts(IRoomFrame frame)
    {
        if (Mode is MembershipMode.Live)
        {
            if (frame.Through <= Cursor)
                return false;
            // What overlaps does no harm to a document; of a batch each message counts.
            if (frame.After == Cursor || (frame.After < Cursor && frame is not FrameBatch))
                return true;

            // Something between the cursor and this frame never arrived here, or a part of it has: the log has the rest.
            Mode = MembershipMode.Behind;
            Missed = frame.Through;
            return true;
        }

        Missed = Math.Max(Missed, frame.Through);
        return false;
    }

    /// <summary>Leaves to the log what follows <paramref name="after"/>.</summary>
    public void FallBehind(long after)
    {
        Mode = MembershipMode.Behind;
        Missed = Cursor;
        Cursor = after;
    }

    private long _unread;

    /// <summary>
    /// Notes that the log held nothing after the cursor although entries up to <paramref name="missed"/> were announced.
    /// </summary>
    /// <returns>True the first time: read once more. After that the log was replaced, and there is nothing to wait for.</returns>
    public bool NoteUnread(long missed)
    {
        if (_unread >= missed)
            return false;
        _unread = missed;
        return true;
    }

    /// <summary>What is latest-wins was dropped for this member and must be sent anew.</summary>
    public bool LatestIsStale { get; set; }
}

/// <summary>How a member is served.</summary>
internal enum MembershipMode
{
    /// <summary>He is in the group but does not know his position yet; messages are only noted.</summary>
    Joining,

    /// <summary>He gets what the group gets.</summary>
    Live,

    /// <summary>He fell behind and is served from the log until he has caught up.</summary>
    Behind,
}
