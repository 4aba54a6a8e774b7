using Microsoft.AspNetCore.Authorization;

namespace Collab.Server.Security;

/// <summary>What <see cref="CollabPolicies.Administration"/> asks for.</summary>
internal sealed record AdministrationRequirement : IAuthorizationRequirement;

/// <summary>Answers it as every door is answered, for the server as a whole.</summary>
internal sealed class AdministrationHandler(IServiceProvider services) : AuthorizationHandler<AdministrationRequirement>
{
    protected override async Task HandleRequirementAsync(AuthorizationHandlerContext context, AdministrationRequirement requirement)
    {
        // Asked for here, as it needs the authorization service, which needs all handlers.
        var authorizer = (RoomAuthorizer)services.GetService(typeof(RoomAuthorizer))!;
        if (await authorizer.MayAdministerAsync(context.User))
            context.Succeed(requirement);
    }
}
