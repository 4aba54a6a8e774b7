using System.Security.Claims;
using Microsoft.AspNetCore.SignalR;

namespace Collab.Server.Security;

/// <summary>
/// A user's id is the subject of his token: <c>sub</c> as it stands in a JWT (RFC 7519, 4.1.2), or as ASP.NET Core renames it.
/// </summary>
internal sealed class SubjectUserIdProvider : IUserIdProvider
{
    public string? GetUserId(HubConnectionContext connection) => IdOf(connection.User);

    public static string? IdOf(ClaimsPrincipal user) => ClaimOf(user)?.Value;

    public static Claim? ClaimOf(ClaimsPrincipal user) => user.FindFirst(ClaimTypes.NameIdentifier) ?? user.FindFirst("sub");
}
