using System.Diagnostics.CodeAnalysis;
using Collab.Protocol;
using Collab.Server.Fanout;

namespace Collab.Server.Channels;

/// <summary>
/// Who is present in a channel: users, however many connections each has. A user whose last connection is lost is still shown for a
/// while, so that a reload shows nothing; who leaves by himself is gone at once.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore whose wait handle nobody asks for holds nothing.")]
internal sealed class ChannelPresence(ChannelRoom room, CollabLifetimeManager connections, TimeSpan grace, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Member> _members = new(StringComparer.Ordinal);

    // Announcements are made one after the other; those who wait for their turn are announced together by whoever has it.
    private readonly SemaphoreSlim _turn = new(1, 1);
    private Dictionary<string, ChannelMember> _announced = new(StringComparer.Ordinal);
    // What the other nodes were told of the members here.
    private Dictionary<string, ChannelMember> _told = new(StringComparer.Ordinal);

    // The members on each other node, by its id.
    private readonly Dictionary<string, Dictionary<string, ChannelMember>> _others = new(StringComparer.Ordinal);

    private string Group => "presence:" + room.Name;

    public bool IsEmpty
    {
        get
        {
            lock (_gate)
                return _members.Count == 0;
        }
    }

    /// <summary>Everybody who is present, on whatever node.</summary>
    public ChannelMember[] Members()
    {
        lock (_gate)
            return [.. Everybody(Here()).Values];
    }

    /// <summary>Tells the other nodes of all members here.</summary>
    public void TellAll()
    {
        lock (_gate)
            room.Peers.Tell(isWhole: true, Here(), []);
    }

    /// <summary>Another node tells who is present there.</summary>
    /// <param name="node">Its id.</param>
    /// <param name="isWhole">Those who have come are all.</param>
    /// <param name="joined">Who has come, by key.</param>
    /// <param name="left">The keys of those who have gone.</param>
    public void TakeOthers(
        string node, bool isWhole, IReadOnlyDictionary<string, ChannelMember> joined, IReadOnlyCollection<string> left)
    {
        lock (_gate)
        {
            if (!_others.TryGetValue(node, out var there))
                _others.Add(node, there = new(StringComparer.Ordinal));
            if (isWhole)
                there.Clear();
            foreach (var key in left)
                there.Remove(key);
            foreach (var (key, member) in joined)
                there[key] = member;
            if (there.Count == 0)
                _others.Remove(node);
        }

        _ = AnnounceInTurnAsync();
    }

    /// <summary>Makes a connection's user present, and lets the connection follow who comes and goes.</summary>
    /// <returns>Who is present; he is told of all that changes after it.</returns>
    public async Task<IReadOnlyList<ChannelMember>> JoinAsync(Caller caller, JsonData data)
    {
        var key = KeyOf(caller.ConnectionId, caller.UserId);
        lock (_gate)
        {
            var shown = new ChannelMember(caller.ConnectionId, caller.UserId, data);
            if (_members.TryGetValue(key, out var member))
                member.Add(shown);
            else
                _members.Add(key, new Member(shown));
        }

        await _turn.WaitAsync();
        try
        {
            await AnnounceAsync();
            await connections.AddToGroupAsync(caller.ConnectionId, Group);
            return [.. _announced.Values];
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Takes a connection away. Nothing happens when it shows nobody.</summary>
    /// <param name="connectionId">The connection.</param>
    /// <param name="userId">Its user.</param>
    /// <param name="isLost">The connection has ended and its user may come back with another.</param>
    public async Task LeaveAsync(string connectionId, string? userId, bool isLost)
    {
        var key = KeyOf(connectionId, userId);
        lock (_gate)
        {
            if (!_members.TryGetValue(key, out var member) || !member.Remove(connectionId))
                return;
            if (member.IsGone)
            {
                if (isLost && userId is not null && grace > TimeSpan.Zero)
                    member.LeavesAt = clock.GetUtcNow() + grace;
                else
                    _members.Remove(key);
            }
        }

        if (!isLost)
            await connections.RemoveFromGroupAsync(connectionId, Group);
        await AnnounceInTurnAsync();
    }

    /// <summary>Takes away those who have not come back in time.</summary>
    public Task ExpireAsync()
    {
        var now = clock.GetUtcNow();
        var any = false;
        lock (_gate)
        {
            foreach (var (key, member) in _members)
            {
                if (member.IsGone && member.LeavesAt <= now)
                    any |= _members.Remove(key);
            }
        }

        return any ? AnnounceInTurnAsync() : Task.CompletedTask;
    }

    private async Task AnnounceInTurnAsync()
    {
        await _turn.WaitAsync();
        try
        {
            await AnnounceAsync();
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Tells the members what has changed since they were told last.</summary>
    private async Task AnnounceAsync()
    {
        Dictionary<string, ChannelMember> here, present;
        lock (_gate)
        {
            here = Here();
            present = Everybody(here);
        }

        var (came, went) = Difference(_told, here);
        _told = here;
        if (came.Count + went.Count > 0)
        {
            room.Peers.Tell(isWhole: false, came, went.Keys);
            foreach (var member in came.Values)
                room.Events?.Joined(member);
            foreach (var member in went.Values)
                room.Events?.Left(member);
        }

        var (joined, left) = Difference(_announced, present);
        _announced = present;
        if (joined.Count + left.Count > 0)
        {
            await connections.SendGroupAsync(
                Group, HubContract.MembersChanged, [room.Name, new MembersChanged([.. joined.Values], [.. left.Values])]);
        }
    }

    private Dictionary<string, ChannelMember> Here() =>
        _members.ToDictionary(member => member.Key, member => member.Value.Shown, StringComparer.Ordinal);

    // Who is here and elsewhere is shown as he is here.
    private Dictionary<string, ChannelMember> Everybody(Dictionary<string, ChannelMember> here)
    {
        if (_others.Count == 0)
            return here;
        var everybody = new Dictionary<string, ChannelMember>(here, StringComparer.Ordinal);
        foreach (var (key, member) in _others.Values.SelectMany(there => there))
            everybody.TryAdd(key, member);
        return everybody;
    }

    private static (Dictionary<string, ChannelMember> Joined, Dictionary<string, ChannelMember> Left) Difference(
        Dictionary<string, ChannelMember> before, Dictionary<string, ChannelMember> after) => (
        after.Where(member => !before.TryGetValue(member.Key, out var known) || !ShowsSame(known, member.Value))
            .ToDictionary(StringComparer.Ordinal),
        before.Where(member => !after.ContainsKey(member.Key)).ToDictionary(StringComparer.Ordinal));

    // Another tab of the same user is no news.
    private static bool ShowsSame(ChannelMember a, ChannelMember b) =>
        ((JsonData)a.Data!).Utf8.Span.SequenceEqual(((JsonData)b.Data!).Utf8.Span);

    private static string KeyOf(string connectionId, string? userId) => userId is null ? "connection " + connectionId : "user " + userId;

    private sealed class Member(ChannelMember first)
    {
        // In the order in which they came.
        private readonly List<ChannelMember> _connections = [first];

        /// <summary>What the others see: the connection that came last of those that are there, or of those that were.</summary>
        public ChannelMember Shown { get; private set; } = first;

        public bool IsGone => _connections.Count == 0;

        public DateTimeOffset LeavesAt { get; set; }

        public void Add(ChannelMember connection)
        {
            _connections.RemoveAll(known => known.ConnectionId == connection.ConnectionId);
            _connections.Add(Shown = connection);
        }

        public bool Remove(string connectionId)
        {
            if (_connections.RemoveAll(connection => connection.ConnectionId == connectionId) == 0)
                return false;
            if (_connections.Count > 0)
                Shown = _connections[^1];
            return true;
        }
    }
}
