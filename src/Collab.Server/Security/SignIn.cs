using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;

namespace Collab.Server.Security;

/// <summary>As whom somebody has signed in, and until when.</summary>
/// <param name="user">The user.</param>
/// <param name="expires">When what he signed in with expires; null when it does not.</param>
internal sealed class SignIn(ClaimsPrincipal user, DateTimeOffset? expires)
{
    // What differs between two tokens of one user.
    private static readonly string[] OfTheToken = ["iat", "nbf", "exp", "jti", Grant.ClaimType];

    private string? _owner;

    public ClaimsPrincipal User { get; } = user;

    public DateTimeOffset? Expires { get; } = expires;

    /// <summary>
    /// Tells this user from all others: his id and who gave it to him (RFC 7519, 4.1.2: a subject is unique within its issuer); of a user
    /// without an id all that is known of him.
    /// </summary>
    public string Owner => _owner ??= OwnerOf(User);

    /// <summary>As whom a request was signed in.</summary>
    public static SignIn Of(HttpContext context) => new(
        context.User,
        context.Features.Get<IAuthenticateResultFeature>()?.AuthenticateResult?.Properties?.ExpiresUtc ?? TimeOf(context.User, "exp"));

    /// <summary>As whom somebody was signed in otherwise.</summary>
    public static SignIn Of(AuthenticateResult result) =>
        new(result.Principal!, result.Properties?.ExpiresUtc ?? TimeOf(result.Principal!, "exp"));

    /// <summary>A claim that is a time in seconds since 1970 (RFC 7519, 2: NumericDate).</summary>
    public static DateTimeOffset? TimeOf(ClaimsPrincipal user, string claim) =>
        double.TryParse(user.FindFirstValue(claim), NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
            && seconds is >= 0 and < 253_402_300_800
            ? DateTimeOffset.UnixEpoch.AddSeconds(seconds)
            : null;

    /// <summary>How many whole seconds are left; null when it does not expire.</summary>
    public long? SecondsLeft(DateTimeOffset now) => Expires is { } expires ? (long)Math.Max(0, (expires - now).TotalSeconds) : null;

    private static string OwnerOf(ClaimsPrincipal user) =>
        SubjectUserIdProvider.ClaimOf(user) is { } id
            ? $"{id.Issuer}\n{id.Value}"
            : string.Join('\n', user.Claims.Where(claim => !OfTheToken.Contains(claim.Type)).Select(claim => $"{claim.Issuer} {claim.Type} {claim.Value}"));
}
