using System.Diagnostics.CodeAnalysis;
using Collab.Server.Rooms;

namespace Collab.Server.Fanout;

/// <summary>The rooms that one connection is in. Guarded by its outbox' lock.</summary>
internal sealed class Memberships
{
    private readonly Dictionary<RoomKey, Membership> _all = [];
    // The one that was sent to last, as most connections are in one room.
    private Membership? _latest;

    public int Count => _all.Count;

    public bool Contains(RoomKey room) => _all.ContainsKey(room);

    public RoomKey[] Rooms() => [.. _all.Keys];

    public int Behind() => _all.Values.Count(static membership => membership.Mode is MembershipMode.Behind);

    /// <returns>The one that was in its place, if any.</returns>
    public Membership? Put(Membership membership)
    {
        _latest = null;
        _all.Remove(membership.Room, out var former);
        _all.Add(membership.Room, membership);
        return former;
    }

    public bool Remove(RoomKey room, [NotNullWhen(true)] out Membership? membership)
    {
        _latest = null;
        return _all.Remove(room, out membership);
    }

    /// <summary>Takes all away.</summary>
    public Membership[] Clear()
    {
        Membership[] all = [.. _all.Values];
        _all.Clear();
        _latest = null;
        return all;
    }

    public Membership? Find(RoomKey room)
    {
        if (_latest?.Room == room)
            return _latest;
        return _all.TryGetValue(room, out var membership) ? _latest = membership : null;
    }

    /// <summary>One that is behind, or lacks what is latest; null when there is none.</summary>
    public Membership? NextToCatchUp()
    {
        foreach (var membership in _all.Values)
        {
            if (membership.Mode is MembershipMode.Behind || membership is { LatestIsStale: true, Mode: MembershipMode.Live })
                return membership;
        }

        return null;
    }

    /// <summary>What is latest-wins was dropped; of which room is not known.</summary>
    public void NoteLatestIsStale()
    {
        foreach (var membership in _all.Values)
            membership.LatestIsStale = true;
    }
}
