using System.Runtime.CompilerServices;
using System.Security.Claims;
using Collab.Server.Rooms;
using Microsoft.AspNetCore.Authorization;

namespace Collab.Server.Security;

/// <summary>The default answer to <see cref="RoomAccessRequirement"/>: what the grants in the user's token say. No grant, no access.</summary>
internal sealed class GrantAuthorizationHandler : AuthorizationHandler<RoomAccessRequirement, RoomKey>
{
    // A principal lives as long as its connection; its grants are read once.
    private readonly ConditionalWeakTable<ClaimsPrincipal, Grant[]> _grants = [];

    protected override Task HandleRequirementAsync(
        AuthorizationHandlerContext context, RoomAccessRequirement requirement, RoomKey resource)
    {
        var grants = _grants.GetValue(context.User, user =>
            [.. user.Identities.Where(identity => identity.IsAuthenticated).SelectMany(identity => identity.FindAll(Grant.ClaimType)).SelectMany(claim => Grant.Parse(claim.Value))]);
        foreach (var grant in grants)
        {
            if (grant.Allows(resource, requirement.Right))
            {
                context.Succeed(requirement);
                break;
            }
        }

        return Task.CompletedTask;
    }
}
