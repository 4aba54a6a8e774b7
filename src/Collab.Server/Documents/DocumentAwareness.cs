using Collab.Crdt;

namespace Collab.Server.Documents;

/// <summary>
/// Who is present in a document and what they show (names, carets), by the rules of y-protocols awareness: per Yjs client id the
/// latest state wins. Each state belongs to the connection that announced it last, and goes when that connection does.
/// </summary>
internal sealed class DocumentAwareness
{
    /// <summary>Begins the owner of states that are shown on another node.</summary>
    public const string Elsewhere = "node ";

    /// <summary>More client ids than this are not taken from one connection.</summary>
    private const int MaxClientsPerConnection = 32;

    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, Entry> _entries = [];

    /// <summary>Takes in what a connection announces, or another node for its connections.</summary>
    /// <param name="connectionId">The connection, or the other node.</param>
    /// <param name="userId">The user behind it.</param>
    /// <param name="states">The states.</param>
    /// <param name="now">The time, by <see cref="Environment.TickCount64"/>.</param>
    /// <returns>The states that are news to the others.</returns>
    public List<AwarenessState> Apply(string connectionId, string? userId, IReadOnlyList<AwarenessState> states, long now)
    {
        var changed = new List<AwarenessState>(states.Count);
        lock (_gate)
        {
            foreach (var state in states)
            {
                var known = _entries.TryGetValue(state.ClientId, out var entry);
                if (known ? !Supersedes(state, entry) : state.IsNull || HasEnough(connectionId))
                    continue;
                if (state.IsNull)
                {
                    // Clients announce the removal of others whom they believe gone; only the owner's word counts.
                    if (entry.Owner != connectionId)
                        continue;
                    _entries.Remove(state.ClientId);
                }
                else
                {
                    _entries[state.ClientId] = new Entry(state, connectionId, userId, now);
                }

                changed.Add(state);
            }
        }

        return changed;
    }

    /// <summary>Whether a user shows himself under a client id.</summary>
    /// <param name="clientId">The client id.</param>
    /// <param name="userId">The id of the user who does.</param>
    public bool TryGetUser(ulong clientId, out string? userId)
    {
        lock (_gate)
        {
            var found = _entries.TryGetValue(clientId, out var entry);
            userId = entry.UserId;
            return found;
        }
    }

    /// <summary>Takes away what a connection announced.</summary>
    /// <returns>The removals, for the others.</returns>
    public List<AwarenessState> Remove(string connectionId) => RemoveWhere(entry => entry.Owner == connectionId);

    /// <summary>Takes away what was last renewed before <paramref name="oldest"/>.</summary>
    /// <returns>The removals, for the others.</returns>
    public List<AwarenessState> Expire(long oldest) => RemoveWhere(entry => entry.RenewedAt < oldest);

    /// <summary>The states of all who are present.</summary>
    public List<AwarenessState> Present()
    {
        lock (_gate)
            return [.. _entries.Values.Select(entry => entry.State)];
    }

    /// <summary>The states of those who are present on this node, by user.</summary>
    public ILookup<string?, AwarenessState> PresentHere()
    {
        lock (_gate)
            return _entries.Values.Where(entry => !IsElsewhere(entry.Owner)).ToLookup(entry => entry.UserId, entry => entry.State);
    }

    private static bool Supersedes(AwarenessState state, in Entry entry) =>
        state.Clock > entry.State.Clock || (state.Clock == entry.State.Clock && state.IsNull);

    // Another node has counted already.
    private bool HasEnough(string owner) =>
        !IsElsewhere(owner) && _entries.Values.Count(entry => entry.Owner == owner) >= MaxClientsPerConnection;

    private static bool IsElsewhere(string owner) => owner.StartsWith(Elsewhere, StringComparison.Ordinal);

    private List<AwarenessState> RemoveWhere(Func<Entry, bool> goes)
    {
        lock (_gate)
        {
            // The clock stays as it was, as in y-websocket's server: a client that comes back continues with the next one.
            List<AwarenessState> removed =
                [.. _entries.Values.Where(goes).Select(entry => entry.State with { Json = "null"u8.ToArray() })];
            foreach (var state in removed)
                _entries.Remove(state.ClientId);
            return removed;
        }
    }

    private readonly record struct Entry(AwarenessState State, string Owner, string? UserId, long RenewedAt);
}
