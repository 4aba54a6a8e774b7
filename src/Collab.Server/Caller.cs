using System.Security.Claims;
using Collab.Server.Security;
using Microsoft.AspNetCore.Http;

namespace Collab.Server;

/// <summary>Who calls a service, over whatever wire.</summary>
/// <param name="ConnectionId">The connection that the call came over; over HTTP, where each call has its own, one name for all of a user.</param>
/// <param name="User">The signed-in user.</param>
/// <param name="UserId">The user's id, as SignalR's user id provider gives it; null when he has none.</param>
internal sealed record Caller(string ConnectionId, ClaimsPrincipal User, string? UserId)
{
    /// <summary>Who calls over HTTP. His rates are counted for the user, or, of one without an id, for where he comes from.</summary>
    public static Caller Of(HttpContext context)
    {
        var user = SubjectUserIdProvider.IdOf(context.User);
        return new Caller(user is null ? $"http {context.Connection.RemoteIpAddress}" : $"http user {user}", context.User, user);
    }
}
