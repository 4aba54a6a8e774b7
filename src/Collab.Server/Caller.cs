using System.Security.Claims;

namespace Collab.Server;

/// <summary>Who calls a service, over whatever wire.</summary>
/// <param name="ConnectionId">The connection that the call came over.</param>
/// <param name="User">The signed-in user.</param>
/// <param name="UserId">The user's id, as SignalR's user id provider gives it; null when he has none.</param>
internal sealed record Caller(string ConnectionId, ClaimsPrincipal User, string? UserId);
