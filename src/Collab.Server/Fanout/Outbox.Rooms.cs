using Collab.Protocol;
using Collab.Server.Rooms;

namespace Collab.Server.Fanout;

// In which rooms the connection is, and from where on it follows each.
internal sealed partial class Outbox
{
    /// <summary>Adds the connection to a room. Until <see cref="Follow"/> the room's messages are noted, not sent.</summary>
    /// <param name="room">The room.</param>
    /// <param name="group">The SignalR group in which the connection is for it.</param>
    /// <param name="source">What the member is served from when he has fallen behind.</param>
    /// <param name="ended">Called once, when this membership is over.</param>
    /// <param name="maxRooms">In how many rooms it may be; 0 for any number.</param>
    /// <exception cref="CollabException">
    /// <c>not_joined</c>: the connection has ended. <c>too_many</c>: it is in too many rooms already.
    /// </exception>
    /// <returns>The membership, and the one that was in its place, if any.</returns>
    public (Membership Membership, Membership? Former) Join(RoomKey room, string group, IRoomSource source, Action? ended, int maxRooms)
    {
        var membership = new Membership(room, group, source, ended);
        Membership? former;
        lock (_gate)
        {
            if (_closed)
                throw HasEnded();
            if (maxRooms > 0 && _memberships.Count >= maxRooms && !_memberships.Contains(room))
                throw new CollabException(ErrorCodes.TooMany, $"a connection may be in {maxRooms} documents and channels at a time; leave one first");
            former = _memberships.Put(membership);
        }

        former?.End();
        return (membership, former);
    }

    /// <summary>What is thrown to who acts for a connection that has ended.</summary>
    public static CollabException HasEnded() => new(ErrorCodes.NotJoined, "the connection has ended");

    /// <summary>
    /// The member has been given everything up to <paramref name="cursor"/>: from here on he follows. What the log is known to hold
    /// beyond it, up to <paramref name="head"/>, he gets from there.
    /// </summary>
    public void Follow(Membership membership, long cursor, long head)
    {
        lock (_gate)
        {
            _mayWait = true;
            membership.Cursor = cursor;
            membership.Missed = Math.Max(membership.Missed, head);
            membership.Mode = membership.Missed > cursor ? MembershipMode.Behind : MembershipMode.Live;
            if (membership.Mode is MembershipMode.Live || !TryStartWriting())
                return;
        }

        _ = DrainAsync(default);
    }

    /// <returns>Null when the connection was not in the room.</returns>
    public Membership? Leave(RoomKey room)
    {
        Membership? membership;
        lock (_gate)
            _memberships.Remove(room, out membership);

        membership?.End();
        return membership;
    }

    public bool IsIn(RoomKey room) => Find(room) is not null;

    /// <summary>The connection's membership in a room, if it is there.</summary>
    public Membership? Find(RoomKey room)
    {
        lock (_gate)
            return _memberships.Find(room);
    }

    /// <summary>Gives a member another source and group for his room.</summary>
    /// <returns>False when he has left it meanwhile.</returns>
    public bool Move(Membership membership, string group, IRoomSource source, Action? ended)
    {
        Action? former;
        lock (_gate)
        {
            if (_memberships.Find(membership.Room) != membership)
                return false;
            former = membership.Move(group, source, ended);
        }

        former?.Invoke();
        return true;
    }

    /// <summary>The rooms that the connection is in.</summary>
    public RoomKey[] Rooms()
    {
        lock (_gate)
            return _memberships.Rooms();
    }
}
