using System.Collections.Concurrent;
using System.Security.Claims;
using Collab.Server.Rooms;
using Microsoft.AspNetCore.Authorization;

namespace Collab.Server.Security;

/// <summary>The default answer to <see cref="RoomAccessRequirement"/>: what the grants in the user's token say. No grant, no access.</summary>
internal sealed class GrantAuthorizationHandler : AuthorizationHandler<RoomAccessRequirement, RoomKey>
{
    private const int MaxKept = 1_000;
    private const int MaxKeptLength = 4_096;

    // A poll has a user of its own each time, yet few claims differ in their text.
    private readonly ConcurrentDictionary<string, Grant[]> _grants = new(StringComparer.Ordinal);
    private int _kept;

    protected override Task HandleRequirementAsync(
        AuthorizationHandlerContext context, RoomAccessRequirement requirement, RoomKey resource)
    {
        foreach (var identity in context.User.Identities)
        {
            if (!identity.IsAuthenticated)
                continue;
            foreach (var claim in identity.Claims)
            {
                if (claim.Type == Grant.ClaimType && Array.Exists(GrantsOf(claim.Value), grant => grant.Allows(resource, requirement.Right)))
                {
                    context.Succeed(requirement);
                    return Task.CompletedTask;
                }
            }
        }

        return Task.CompletedTask;
    }

    private Grant[] GrantsOf(string claim)
    {
        if (_grants.TryGetValue(claim, out var known))
            return known;
        Grant[] grants = [.. Grant.Parse(claim)];
        if (claim.Length > MaxKeptLength)
            return grants;
        if (Interlocked.Increment(ref _kept) > MaxKept)
        {
            _grants.Clear();
            Volatile.Write(ref _kept, 0);
        }

        _grants[claim] = grants;
        return grants;
    }
}
