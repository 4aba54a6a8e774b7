using Microsoft.AspNetCore.Authorization;

namespace Collab.Server.Security;

/// <summary>
/// What is asked of <see cref="IAuthorizationService"/> at every door: may this user do this in that room? The resource is a
/// <see cref="Rooms.RoomKey"/>. An application adds handlers of its own for this requirement to decide by its own rules.
/// </summary>
/// <param name="Right">One of <see cref="Rights"/>.</param>
public sealed record RoomAccessRequirement(string Right) : IAuthorizationRequirement;
