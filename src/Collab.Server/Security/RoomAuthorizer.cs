using System.Collections.Frozen;
using System.Security.Claims;
using Collab.Server.Rooms;
using Microsoft.AspNetCore.Authorization;

namespace Collab.Server.Security;

/// <summary>
/// Whether a user may do something in a room: not when that was revoked, and else as the application's authorization service says.
/// </summary>
internal sealed class RoomAuthorizer(IAuthorizationService authorization, Revocations revocations)
{
    private static readonly FrozenDictionary<string, RoomAccessRequirement[]> Requirements =
        new[] { Rights.Read, Rights.Write, Rights.Subscribe, Rights.Publish, Rights.Presence, Rights.Admin }
            .ToFrozenDictionary(right => right, right => new[] { new RoomAccessRequirement(right) });

    /// <summary>Stands for the server as a whole.</summary>
    private static readonly RoomKey Server = new(RoomKind.System, "server");

    private int _version;

    /// <summary>Changes whenever somebody's rights may have changed. Who lets a user in looks at it before he asks and once the user is in.</summary>
    public int Version => Volatile.Read(ref _version);

    /// <summary>Somebody's rights may have changed.</summary>
    public void NoteChange() => Interlocked.Increment(ref _version);

    /// <summary>Whether a user may administer the server.</summary>
    public ValueTask<bool> MayAdministerAsync(ClaimsPrincipal user) => MayAsync(user, Server, Rights.Admin);

    public async ValueTask<bool> MayAsync(ClaimsPrincipal user, RoomKey room, string right) =>
        !revocations.Revokes(user, room) && (await authorization.AuthorizeAsync(user, room, Requirements[right])).Succeeded;
}
