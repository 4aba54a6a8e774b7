using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Collab.Host.Security;

/// <summary>
/// Development only: signs in a caller without a token as a guest who may do everything with documents and channels. A browser keeps
/// its guest in a cookie.
/// </summary>
internal sealed class GuestAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public new const string Scheme = "Guest";

    private const string Cookie = "collab-guest";
    private const string Grants =
        """
        [{ "document": "*", "access": ["read", "write"] }, { "channel": "*", "access": ["subscribe", "publish", "presence"] }]
        """;

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var id = Request.Cookies[Cookie];
        if (id is not { Length: 8 } || !id.All(char.IsAsciiHexDigitLower))
        {
            id = null;
            if (HttpMethods.IsGet(Request.Method) && Request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal))
            {
                id = RandomNumberGenerator.GetHexString(8, lowercase: true);
                Response.Cookies.Append(Cookie, id, new CookieOptions
                {
                    HttpOnly = true,
                    SameSite = SameSiteMode.Strict,
                    MaxAge = TimeSpan.FromDays(30),
                });
            }
        }

        var name = id is null ? "guest" : $"guest-{id}";
        var identity = new ClaimsIdentity(
            [new Claim(ClaimTypes.NameIdentifier, name), new Claim(ClaimTypes.Name, name), new Claim("collab", Grants)], Scheme);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme)));
    }
}
