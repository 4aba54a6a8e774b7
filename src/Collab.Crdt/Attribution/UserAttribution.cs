using System.Diagnostics.CodeAnalysis;

namespace Collab.Crdt;

/// <summary>
/// Keeps in a document which user has written and deleted what, for versions that show authors (yjs <c>PermanentUserData</c>,
/// with which it shares the layout of the data).
/// </summary>
/// <remarks>
/// A document knows clients, and a user is another client each time he comes; who has deleted something it does not know at all.
/// So the map <c>users</c> holds for each user a map of two arrays: <c>ids</c>, the client ids, and <c>ds</c>, delete sets in format v1.
/// Whatever else stands there is ignored.
/// </remarks>
public sealed class UserAttribution : IDisposable
{
    private const string IdsKey = "ids", DeletesKey = "ds";

    private readonly Doc _doc;
    private readonly Map _users;
    private readonly IDisposable _observingUsers;
    private readonly Dictionary<ulong, string> _userOfClient = [];

    // In the order in which users were first heard of: of two that have deleted the same at once, the first is named.
    private readonly OrderedDictionary<string, User> _byName = [];
    private LocalUser? _local;

    /// <summary>What is known of a user, and which arrays of the document that comes from.</summary>
    private sealed class User
    {
        public DeletedUnits Deleted { get; } = new();

        public Map? Source { get; set; }

        public IDisposable? ObservingIds { get; set; }

        public IDisposable? ObservingDeletes { get; set; }
    }

    private sealed record LocalUser(string Name, Func<Transaction, bool>? Filter, IDisposable Observing)
    {
        public ulong ClientId { get; set; }
    }

    /// <summary>Reads what a document says of its users, and goes on to.</summary>
    /// <param name="doc">The document.</param>
    public UserAttribution(Doc doc)
        : this((doc ?? throw new ArgumentNullException(nameof(doc))).GetMap("users"))
    {
    }

    /// <summary>Reads what a map says of the users of its document, and goes on to.</summary>
    /// <param name="users">The map, which is in a document.</param>
    /// <exception cref="InvalidOperationException">The map is in no document.</exception>
    public UserAttribution(Map users)
    {
        ArgumentNullException.ThrowIfNull(users);
        _doc = users.Doc ?? throw new InvalidOperationException("The map is in no document yet.");
        _users = users;
        foreach (var (name, data) in users)
            Follow(name, data);
        _observingUsers = users.Observe(OnUsersChanged);
    }

    /// <summary>The users by the client ids under which they have written.</summary>
    public IReadOnlyDictionary<ulong, string> Clients => _userOfClient;

    /// <summary>The user who has written under a client id; null when nobody has said so.</summary>
    /// <param name="clientId">The client id.</param>
    public string? UserOfClient(ulong clientId) => _userOfClient.GetValueOrDefault(clientId);

    /// <summary>The user who has deleted a unit; null when it is not deleted or nobody has said so.</summary>
    /// <param name="clientId">The client that has inserted it.</param>
    /// <param name="clock">The clock under which it was inserted.</param>
    public string? UserOfDeleted(ulong clientId, uint clock)
    {
        foreach (var (name, user) in _byName)
        {
            if (user.Deleted.Contains(clientId, clock))
                return name;
        }
        return null;
    }

    /// <summary>Says in the document that a client is a user's.</summary>
    /// <param name="clientId">The client id.</param>
    /// <param name="user">How the user is called: a name, an id, whatever tells him from others.</param>
    public void AddClient(ulong clientId, string user)
    {
        ArgumentNullException.ThrowIfNull(user);
        using var scope = _doc.Write(this);
        DataOf(user).Ids.Push((double)clientId);
        _userOfClient[clientId] = user;
    }

    /// <summary>
    /// Says in the document that this replica is a user's, and from now on what is deleted here. Another call puts another
    /// user in his place.
    /// </summary>
    /// <param name="user">How the user is called.</param>
    /// <param name="filter">Says of a transaction whether the user is to be named for what it has deleted; all are when null.</param>
    public void SetLocalUser(string user, Func<Transaction, bool>? filter = null)
    {
        ArgumentNullException.ThrowIfNull(user);
        AddClient(_doc.ClientId, user);
        _local?.Observing.Dispose();
        _local = new LocalUser(user, filter, _doc.ObserveAfterTransaction(OnTransaction)) { ClientId = _doc.ClientId };
    }

    /// <summary>Ends it; what the document says stays.</summary>
    public void Dispose()
    {
        _observingUsers.Dispose();
        _local?.Observing.Dispose();
        foreach (var user in _byName.Values)
        {
            user.ObservingIds?.Dispose();
            user.ObservingDeletes?.Dispose();
        }
    }

    private void OnTransaction(Transaction transaction)
    {
        if (_local is not { } local || !transaction.Local || transaction.Origin == this)
            return;
        if (!transaction.Deletes.IsEmpty && (local.Filter?.Invoke(transaction) ?? true))
        {
            using var writer = new Lib0Writer(64);
            StateEncoder.WriteDeletes(new BlockEncoderV1(writer, anyDialect: false), transaction.Store, transaction.Deletes.Sorted());
            using var scope = _doc.Write(this);
            DataOf(local.Name).Deletes.Push(writer.ToArray());
        }
        if (local.ClientId != _doc.ClientId)
        {
            local.ClientId = _doc.ClientId;
            AddClient(local.ClientId, local.Name);
        }
    }

    private void OnUsersChanged(TypeEvent happened)
    {
        foreach (var name in happened.Keys.Keys)
        {
            if (!_users.TryGetValue(name, out var data))
                continue;
            Follow(name, data);
            // Two replicas have made the user at once and the other's map has won: what was said in ours is said again.
            if (_local?.Name == name && _byName.TryGetValue(name, out var user) && user.Source is not null)
                SayAgain(name, user);
        }
    }

    /// <summary>Takes over what a user's map says, and what it will say.</summary>
    private void Follow(string name, Any data)
    {
        if (!TryRead(data, out var map, out var ids, out var deletes))
            return;
        if (!_byName.TryGetValue(name, out var user))
            _byName.Add(name, user = new User());
        if (user.Source == map)
            return;
        user.Source = map;
        user.ObservingIds?.Dispose();
        user.ObservingDeletes?.Dispose();
        foreach (var id in ids)
            TakeId(name, id);
        foreach (var set in deletes)
            TakeDeletes(user, set);
        user.ObservingIds = ids.Observe(happened => ForEachInserted(happened, id => TakeId(name, id)));
        user.ObservingDeletes = deletes.Observe(happened => ForEachInserted(happened, set => TakeDeletes(user, set)));
    }

    private void TakeId(string name, in Any id)
    {
        if (TryReadId(id, out var client))
            _userOfClient[client] = name;
    }

    private static void TakeDeletes(User user, in Any set)
    {
        if (set.Kind != AnyKind.Bytes)
            return;
        using var ranges = new PooledList<DeletedRange>();
        try
        {
            var reader = new DeleteSetReader(new Lib0Reader(set.AsBytes().Span), UpdateLimits.HighestClock);
            while (reader.Next(out var range))
                ranges.Add(range);
        }
        catch (InvalidUpdateException)
        {
            // Anybody can write into the document; what is no delete set says nothing.
            return;
        }
        foreach (ref readonly var range in ranges.Span)
            user.Deleted.Add(range);
    }

    /// <summary>Writes into a user's map what is known of him and is missing there.</summary>
    private void SayAgain(string name, User user)
    {
        if (!TryRead(_users[name], out _, out var ids, out var deletes))
            return;
        var said = ids.Select(id => TryReadId(id, out var client) ? client : ulong.MaxValue).ToHashSet();
        Any[] missing = [.. _userOfClient.Where(entry => entry.Value == name && !said.Contains(entry.Key)).Select(entry => (Any)(double)entry.Key)];
        var saidDeletes = new User();
        foreach (var set in deletes)
            TakeDeletes(saidDeletes, set);
        using var scope = _doc.Write(this);
        if (missing.Length > 0)
            ids.Push(missing);
        if (!user.Deleted.IsEmpty && !saidDeletes.Deleted.ContainsAll(user.Deleted))
            deletes.Push(user.Deleted.Encode());
    }

    /// <summary>The arrays of a user, made when the document does not have them.</summary>
    private (YArray Ids, YArray Deletes) DataOf(string name)
    {
        if (_users.TryGetValue(name, out var data) && TryRead(data, out _, out var ids, out var deletes))
            return (ids, deletes);
        (ids, deletes) = (new YArray(), new YArray());
        var map = new Map();
        map.Set(IdsKey, ids);
        map.Set(DeletesKey, deletes);
        _users.Set(name, map);
        return (ids, deletes);
    }

    private static bool TryRead(
        in Any data, [NotNullWhen(true)] out Map? map, [NotNullWhen(true)] out YArray? ids, [NotNullWhen(true)] out YArray? deletes)
    {
        map = data.Reference as Map;
        ids = map is not null && map.TryGetValue(IdsKey, out var first) ? first.Reference as YArray : null;
        deletes = map is not null && map.TryGetValue(DeletesKey, out var second) ? second.Reference as YArray : null;
        return ids is not null && deletes is not null;
    }

    private static bool TryReadId(in Any id, out ulong client)
    {
        client = 0;
        if (id.Kind is not (AnyKind.Number or AnyKind.BigInt) || !(id.AsNumber() is >= 0 and <= Lib0Reader.MaxSafeInteger and var number))
            return false;
        client = (ulong)number;
        return client == number;
    }

    private static void ForEachInserted(TypeEvent happened, Action<Any> take)
    {
        foreach (var operation in happened.Delta)
        {
            foreach (var value in operation.Values)
                take(value);
        }
    }
}
