using System.Globalization;
using System.Security.Claims;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Collab.Testing;

/// <summary>Signs in whomever the header <c>Authorization: Test name;base64(grants);base64(other claims)</c> names; <c>Bearer</c> does in the place of <c>Test</c>.</summary>
public sealed class TestAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "Test";

    /// <summary>The header.</summary>
    /// <param name="user">The user's id.</param>
    /// <param name="grants">The claim <c>collab</c>.</param>
    /// <param name="expires">When the sign-in expires; null for never.</param>
    /// <param name="issued">The claim <c>iat</c>, if any.</param>
    /// <param name="session">The claim <c>sid</c>, if any.</param>
    /// <param name="role">The claim <c>role</c>, if any.</param>
    public static string Header(
        string user, string grants, DateTimeOffset? expires = null, DateTimeOffset? issued = null, string? session = null, string? role = null)
    {
        var claims = new Dictionary<string, string>();
        if (expires is { } end)
            claims["exp"] = (end.ToUnixTimeMilliseconds() / 1000.0).ToString(CultureInfo.InvariantCulture);
        if (issued is { } begin)
            claims["iat"] = begin.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        if (session is not null)
            claims["sid"] = session;
        if (role is not null)
            claims["role"] = role;
        return $"{SchemeName} {user};{Base64(Encoding.UTF8.GetBytes(grants))};{Base64(JsonSerializer.SerializeToUtf8Bytes(claims))}";
    }

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Headers.Authorization.ToString() is not { Length: > 5 } header)
            return Task.FromResult(AuthenticateResult.NoResult());
        var parts = header[(header.IndexOf(' ', StringComparison.Ordinal) + 1)..].Split(';');
        var grants = Encoding.UTF8.GetString(Convert.FromBase64String(parts[1]));
        var others = JsonSerializer.Deserialize<Dictionary<string, string>>(Convert.FromBase64String(parts[2]))!;
        var identity = new ClaimsIdentity(
            [new Claim(ClaimTypes.NameIdentifier, parts[0]), new Claim("collab", grants), .. others.Select(claim => new Claim(claim.Key, claim.Value))],
            SchemeName);
        var properties = new AuthenticationProperties();
        if (others.TryGetValue("exp", out var seconds))
            properties.ExpiresUtc = DateTimeOffset.UnixEpoch.AddSeconds(double.Parse(seconds, CultureInfo.InvariantCulture));
        if (properties.ExpiresUtc <= DateTimeOffset.UtcNow)
            return Task.FromResult(AuthenticateResult.Fail("expired"));
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), properties, SchemeName)));
    }

    private static string Base64(byte[] bytes) => Convert.ToBase64String(bytes);
}
