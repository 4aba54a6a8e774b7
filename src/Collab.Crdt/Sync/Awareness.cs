namespace Collab.Crdt;

/// <summary>
/// What all clients say about themselves at the moment: cursors, names, whatever the application puts there. The protocol of
/// y-protocols' <c>awareness.js</c>: each client counts its own states, the higher clock wins, and who is not heard of for
/// <see cref="OutdatedTimeout"/> has gone.
/// </summary>
/// <remarks>
/// Safe for concurrent use. Handlers are called on the thread that made the change, outside of any lock; the timer's thread is one.
/// A timer holds on to it until it is disposed of.
/// </remarks>
public sealed class Awareness : IDisposable
{
    /// <summary>A client of which nothing is heard for this long has gone: 30 seconds.</summary>
    public static readonly TimeSpan OutdatedTimeout = TimeSpan.FromSeconds(30);

    /// <summary>The origin of what was set here.</summary>
    public const string LocalOrigin = "local";

    /// <summary>The origin of what was removed because nothing was heard of it.</summary>
    public const string TimeoutOrigin = "timeout";

    /// <summary>What is known of one client. The clock outlives the state, so that what is older does not come back.</summary>
    private readonly record struct Entry(Any? State, ulong Clock, long LastUpdated);

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly IDisposable? _docDestroyed;
    private readonly AwarenessObservers _changes = new(), _updates = new();
    private readonly OrderedDictionary<ulong, Entry> _entries = [];
    private Dictionary<ulong, Any>? _states;
    private Dictionary<ulong, ulong>? _clocks;
    private bool _disposed;

    /// <inheritdoc cref="Awareness(ulong, TimeProvider?)"/>
    public Awareness(ulong clientId)
        : this(clientId, null)
    {
    }

    /// <summary>Starts with an empty object as the local state, and with a timer that calls <see cref="CheckOutdated"/>.</summary>
    /// <param name="clientId">The local client's id, as in its document.</param>
    /// <param name="time">The clock; the system's when null.</param>
    public Awareness(ulong clientId, TimeProvider? time)
    {
        ClientId = clientId;
        _time = time ?? TimeProvider.System;
        LocalState = Any.FromObject();
        var interval = OutdatedTimeout / 10;
        _timer = _time.CreateTimer(static self => ((Awareness)self!).CheckOutdated(), this, interval, interval);
    }

    /// <inheritdoc cref="Awareness(Doc, TimeProvider?)"/>
    public Awareness(Doc doc)
        : this(doc, null)
    {
    }

    /// <summary>
    /// Starts for the client of a document: with an empty object as the local state, and with a timer that calls
    /// <see cref="CheckOutdated"/>. Destroying the document disposes of it.
    /// </summary>
    /// <param name="doc">The document; of it only the client id is taken, as it is now.</param>
    /// <param name="time">The clock; the system's when null.</param>
    public Awareness(Doc doc, TimeProvider? time)
        : this((doc ?? throw new ArgumentNullException(nameof(doc))).ClientId, time) =>
        _docDestroyed = doc.ObserveDestroy(_ => Dispose());

    /// <summary>The local client's id.</summary>
    public ulong ClientId { get; }

    /// <summary>What <see cref="ApplyUpdate"/> lets pass.</summary>
    public AwarenessLimits Limits { get; init; } = AwarenessLimits.Default;

    /// <summary>
    /// The local client's state, usually an object; null when it is away. Setting it, even to the same, raises the clock and so
    /// tells the others that the client is here.
    /// </summary>
    public Any? LocalState
    {
        get
        {
            lock (_lock)
                return _entries.TryGetValue(ClientId, out var entry) ? entry.State : null;
        }
        set
        {
            Changes changes;
            lock (_lock)
                changes = SetLocal(value is { IsNullish: true } ? null : value);
            Raise(changes, LocalOrigin);
        }
    }

    /// <summary>The states of all clients that have one, the local one too. A copy: it does not change.</summary>
    public IReadOnlyDictionary<ulong, Any> States
    {
        get
        {
            lock (_lock)
            {
                if (_states is null)
                {
                    _states = new Dictionary<ulong, Any>(_entries.Count);
                    foreach (var (client, entry) in _entries)
                    {
                        if (entry.State is { } state)
                            _states.Add(client, state);
                    }
                }
                return _states;
            }
        }
    }

    /// <summary>The clocks of all clients that were ever heard of, also of those that have gone. A copy: it does not change.</summary>
    public IReadOnlyDictionary<ulong, ulong> Clocks
    {
        get
        {
            lock (_lock)
                return _clocks ??= _entries.ToDictionary(entry => entry.Key, entry => entry.Value.Clock);
        }
    }

    /// <summary>Sets one member of the local state. Does nothing while the local state is null.</summary>
    /// <param name="name">The member's name.</param>
    /// <param name="value">Its value.</param>
    /// <exception cref="InvalidOperationException">The local state is not an object.</exception>
    public void SetLocalStateField(string name, Any value)
    {
        ArgumentNullException.ThrowIfNull(name);
        Changes changes;
        lock (_lock)
        {
            if (LocalState is not { } state)
                return;
            changes = SetLocal(Any.FromObject(new OrderedDictionary<string, Any>(state.AsObject()) { [name] = value }));
        }
        Raise(changes, LocalOrigin);
    }

    /// <summary>Calls a handler after each change of what is to be seen: clients that come, go, or say something else.</summary>
    /// <param name="handler">The handler.</param>
    /// <returns>Ends the calls when disposed of.</returns>
    public IDisposable ObserveChange(Action<AwarenessChange> handler) => _changes.Add(handler);

    /// <summary>
    /// Calls a handler after each update, also when a client merely repeats itself. These are to be sent on:
    /// <see cref="EncodeUpdate"/> of <see cref="AwarenessChange.Clients"/>.
    /// </summary>
    /// <param name="handler">The handler.</param>
    /// <returns>Ends the calls when disposed of.</returns>
    public IDisposable ObserveUpdate(Action<AwarenessChange> handler) => _updates.Add(handler);

    /// <summary>Encodes what clients say, for others to apply. Clients without a state are encoded as gone.</summary>
    /// <param name="clients">The clients; null for all that have a state.</param>
    /// <exception cref="KeyNotFoundException">Nothing was ever heard of one of the clients.</exception>
    public byte[] EncodeUpdate(IReadOnlyCollection<ulong>? clients = null)
    {
        lock (_lock)
        {
            clients ??= [.. States.Keys];
            using var writer = new Lib0Writer(64 * clients.Count + 16);
            using var json = new Lib0Writer(256);
            writer.WriteVarUint((ulong)clients.Count);
            foreach (var client in clients)
            {
                var entry = _entries[client];
                json.Clear();
                AnyJson.Write(json, entry.State ?? Any.Null);
                writer.WriteVarUint(client);
                writer.WriteVarUint(entry.Clock);
                writer.WriteVarBytes(json.Written);
            }
            return writer.ToArray();
        }
    }

    /// <summary>
    /// Applies what others say. What is older than what is known is ignored. Nobody can remove the local state: an attempt raises
    /// its clock, and is reported as a removal, so that the state is sent once more.
    /// </summary>
    /// <param name="update">The awareness update.</param>
    /// <param name="origin">Handed to the handlers.</param>
    /// <exception cref="InvalidUpdateException">The bytes are malformed or over <see cref="Limits"/>; nothing was applied.</exception>
    public void ApplyUpdate(ReadOnlyMemory<byte> update, object? origin = null)
    {
        var received = AwarenessUpdate.Decode(update, Limits);
        var states = new Any[received.Count];
        for (var i = 0; i < states.Length; i++)
            states[i] = AnyJson.Parse(received[i].Json.Span, offset: 0);

        var changes = new Changes();
        lock (_lock)
        {
            for (var i = 0; i < states.Length; i++)
                Apply(received[i].ClientId, received[i].Clock, states[i].IsNullish ? default(Any?) : states[i], changes);
        }
        Raise(changes, origin);
    }

    /// <summary>Removes states, as when a connection was lost. The local clock is raised if the local state is among them.</summary>
    /// <param name="clients">The clients; those without a state are skipped.</param>
    /// <param name="origin">Handed to the handlers.</param>
    public void RemoveStates(IReadOnlyCollection<ulong> clients, object? origin = null)
    {
        ArgumentNullException.ThrowIfNull(clients);
        Changes changes;
        lock (_lock)
            changes = Remove(clients);
        Raise(changes, origin);
    }

    /// <summary>
    /// Removes other clients' states and forgets that they were ever heard of, as when a room is left: what is said of them next is taken
    /// whatever its clock. <see cref="RemoveStates"/> would have a client that is still there ignored until it says something new.
    /// </summary>
    /// <param name="origin">Handed to the handlers.</param>
    public void ForgetOthers(object? origin = null)
    {
        Changes changes;
        lock (_lock)
        {
            ulong[] others = [.. _entries.Keys.Where(client => client != ClientId)];
            changes = Remove(others);
            foreach (var client in others)
                _entries.Remove(client);
            _clocks = null;
        }
        Raise(changes, origin);
    }

    /// <summary>
    /// Renews the local state when that is half of <see cref="OutdatedTimeout"/> old, and removes the clients of which nothing was heard
    /// for the whole of it. A timer calls this every three seconds.
    /// </summary>
    public void CheckOutdated()
    {
        Changes? renewed = null;
        Changes removed;
        lock (_lock)
        {
            if (_disposed)
                return;
            if (_entries[ClientId] is { State: not null } local && Age(local) >= OutdatedTimeout / 2)
                renewed = SetLocal(local.State);
            List<ulong> gone = [];
            foreach (var (client, entry) in _entries)
            {
                if (client != ClientId && entry.State is not null && Age(entry) >= OutdatedTimeout)
                    gone.Add(client);
            }
            removed = Remove(gone);
        }
        if (renewed is not null)
            Raise(renewed, LocalOrigin);
        Raise(removed, TimeoutOrigin);
    }

    /// <summary>Takes the local state away, which handlers still see, then ends the timer and all calls of handlers.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            _disposed = true;
        }
        _timer.Dispose();
        _docDestroyed?.Dispose();
        LocalState = null;
        _changes.Clear();
        _updates.Clear();
    }

    private TimeSpan Age(in Entry entry) => _time.GetElapsedTime(entry.LastUpdated);

    private Changes SetLocal(Any? state)
    {
        var changes = new Changes();
        var isKnown = _entries.TryGetValue(ClientId, out var previous);
        Set(ClientId, new Entry(state, isKnown ? Next(previous.Clock) : 0, _time.GetTimestamp()));
        if (state is null)
            changes.Removed.Add(ClientId);
        else if (previous.State is null)
            changes.Added.Add(ClientId);
        else
            changes.Update(ClientId, isNew: previous.State != state);
        return changes;
    }

    private Changes Remove(IReadOnlyCollection<ulong> clients)
    {
        var changes = new Changes();
        foreach (var client in clients)
        {
            if (!_entries.TryGetValue(client, out var entry) || entry.State is null)
                continue;
            Set(client, client == ClientId ? new Entry(null, Next(entry.Clock), _time.GetTimestamp()) : entry with { State = default(Any?) });
            changes.Removed.Add(client);
        }
        return changes;
    }

    private void Apply(ulong client, ulong clock, Any? state, Changes changes)
    {
        var isKnown = _entries.TryGetValue(client, out var known);
        var isNewer = known.Clock < clock || (known.Clock == clock && state is null && known.State is not null);
        if (!isNewer)
            return;

        // A local state stays whatever others say; a higher clock tells them so.
        var isStillHere = state is null && client == ClientId && known.State is not null;
        Set(client, new Entry(isStillHere ? known.State : state, isStillHere ? Next(clock) : clock, _time.GetTimestamp()));

        if (!isKnown && state is not null)
            changes.Added.Add(client);
        else if (isKnown && state is null)
            changes.Removed.Add(client);
        else if (state is not null)
            changes.Update(client, isNew: known.State != state);
    }

    // A forged clock may be the highest that can be written.
    private static ulong Next(ulong clock) => Math.Min(clock + 1, Lib0Reader.MaxSafeInteger);

    private void Set(ulong client, Entry entry)
    {
        _entries[client] = entry;
        _states = null;
        _clocks = null;
    }

    private void Raise(Changes changes, object? origin)
    {
        if (changes.Added.Count > 0 || changes.New.Count > 0 || changes.Removed.Count > 0)
            _changes.Call(new AwarenessChange(changes.Added, changes.New, changes.Removed, origin));
        if (changes.Added.Count > 0 || changes.Updated.Count > 0 || changes.Removed.Count > 0)
            _updates.Call(new AwarenessChange(changes.Added, changes.Updated, changes.Removed, origin));
    }

    /// <summary>Collects what happens; <c>New</c> are those of <c>Updated</c> that say something else than before.</summary>
    private sealed class Changes
    {
        public List<ulong> Added { get; } = [];

        public List<ulong> Updated { get; } = [];

        public List<ulong> New { get; } = [];

        public List<ulong> Removed { get; } = [];

        public void Update(ulong client, bool isNew)
        {
            Updated.Add(client);
            if (isNew)
                New.Add(client);
        }
    }
}
