using System.Globalization;
using System.Security.Claims;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Collab.Testing;

/// <summary>Signs in whomever the header <c>Authorization: Test name;base64(grants);expires</c> names.</summary>
public sealed class TestAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "Test";

    public static string Header(string user, string grants, DateTimeOffset? expires = null) =>
        $"{SchemeName} {user};{Convert.ToBase64String(Encoding.UTF8.GetBytes(grants))};{expires:O}";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Request.Headers.Authorization.ToString() is not { Length: > 5 } header)
            return Task.FromResult(AuthenticateResult.NoResult());
        var parts = header[(SchemeName.Length + 1)..].Split(';');
        var grants = Encoding.UTF8.GetString(Convert.FromBase64String(parts[1]));
        var identity = new ClaimsIdentity(
            [new Claim(ClaimTypes.NameIdentifier, parts[0]), new Claim("collab", grants)], SchemeName);
        var properties = new AuthenticationProperties();
        if (parts[2].Length > 0)
            properties.ExpiresUtc = DateTimeOffset.Parse(parts[2], CultureInfo.InvariantCulture);
        return Task.FromResult(
            AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), properties, SchemeName)));
    }
}
