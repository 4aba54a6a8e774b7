using System.Collections.Frozen;
using System.Security.Claims;
using Collab.Server.Rooms;
using Microsoft.AspNetCore.Authorization;

namespace Collab.Server.Security;

/// <summary>Asks the application's authorization service whether a user may do something in a room.</summary>
internal sealed class RoomAuthorizer(IAuthorizationService authorization)
{
    private static readonly FrozenDictionary<string, RoomAccessRequirement[]> Requirements =
        new[] { Rights.Read, Rights.Write, Rights.Subscribe, Rights.Publish, Rights.Presence }
            .ToFrozenDictionary(right => right, right => new[] { new RoomAccessRequirement(right) });

    public async ValueTask<bool> MayAsync(ClaimsPrincipal user, RoomKey room, string right) =>
        (await authorization.AuthorizeAsync(user, room, Requirements[right])).Succeeded;
}
