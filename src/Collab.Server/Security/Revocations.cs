using System.Collections.Concurrent;
using System.Security.Claims;
using Collab.Protocol;
using Collab.Server.Rooms;

namespace Collab.Server.Security;

/// <summary>The revocations that hold, found by whom or what they are about.</summary>
internal sealed class Revocations
{
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<(string Kind, string Name), Revocation[]> _found = new();
    private volatile bool _any;
    private volatile bool _known;

    /// <summary>Whether all that were made before this server started have been read.</summary>
    public bool AreKnown
    {
        get => _known;
        set => _known = value;
    }

    /// <summary>Whether access to a room, or to everything, was taken from a user.</summary>
    /// <exception cref="CollabException"><c>unavailable</c>: it is not known yet.</exception>
    public bool Revokes(ClaimsPrincipal user, RoomKey? room = null) =>
        !_known ? throw new CollabException(ErrorCodes.Unavailable, "what was revoked cannot be read now; try again later")
        // What is asked at every door has mostly nothing to look up.
        : _any && (IsAmong("user", SubjectUserIdProvider.IdOf(user), user, room)
            || IsAmong("session", Revocation.SessionOf(user), user, room)
            || (room is { } key && IsAmong(key.Kind.ToString(), key.Name, user, room)));

    public void Add(Revocation revocation)
    {
        lock (_gate)
        {
            _found.AddOrUpdate(KeyOf(revocation), [revocation], (_, others) => [.. others.Where(other => !Includes(revocation, other)), revocation]);
            _any = true;
        }
    }

    /// <summary>Forgets those made before a time, in milliseconds since 1970.</summary>
    public void Forget(long before)
    {
        lock (_gate)
        {
            foreach (var (key, revocations) in _found)
            {
                Revocation[] left = [.. revocations.Where(revocation => revocation.At >= before)];
                if (left.Length == 0)
                    _found.TryRemove(key, out _);
                else
                    _found[key] = left;
            }

            _any = !_found.IsEmpty;
        }
    }

    private bool IsAmong(string kind, string? name, ClaimsPrincipal user, RoomKey? room) =>
        name is not null && _found.TryGetValue((kind, name), out var revocations)
        && Array.Exists(revocations, revocation => revocation.Revokes(user, room));

    private static (string, string) KeyOf(Revocation revocation) =>
        revocation.User is { } user ? ("user", user)
        : revocation.Session is { } session ? ("session", session)
        : (revocation.Room!.Value.Kind.ToString(), revocation.Room.Value.Name);

    private static bool Includes(Revocation later, Revocation earlier) => later with { At = earlier.At } == earlier && later.At >= earlier.At;
}
