using System.Security.Claims;
using Collab.Server.Rooms;

namespace Collab.Server.Security;

/// <summary>
/// Takes access away from tokens that were issued before it: those of a user, of a session, those that open a document or channel, or
/// what of these is named together. A token issued after it counts again.
/// </summary>
/// <param name="User">The user's id, or null for everybody.</param>
/// <param name="Session">The session: the token's claim <c>sid</c> (OpenID Connect), else <c>jti</c> (RFC 7519). Null for all.</param>
/// <param name="Document">The document's id. Null, and no channel either, for everything.</param>
/// <param name="Channel">The channel's name.</param>
/// <param name="At">When it was made, in milliseconds since 1970.</param>
internal sealed record Revocation(string? User, string? Session, string? Document, string? Channel, long At)
{
    /// <summary>The room that it is about; null when it is about everything.</summary>
    public RoomKey? Room { get; } =
        Document is not null ? new RoomKey(RoomKind.Document, Document)
        : Channel is not null ? new RoomKey(RoomKind.Channel, Channel)
        : null;

    /// <summary>Whether it takes this from the user. A token that does not say when it was issued was issued before.</summary>
    public bool Revokes(ClaimsPrincipal user, RoomKey? room) =>
        (User is null || User == SubjectUserIdProvider.IdOf(user))
        && (Session is null || Session == SessionOf(user))
        && (Room is null || Room == room)
        && (SignIn.TimeOf(user, "iat") is not { } issued || issued.ToUnixTimeSeconds() <= At / 1000);

    /// <summary>The session that a token belongs to.</summary>
    public static string? SessionOf(ClaimsPrincipal user) => user.FindFirstValue("sid") ?? user.FindFirstValue("jti");
}
