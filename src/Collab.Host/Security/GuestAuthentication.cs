using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.Extensions.Options;

namespace Collab.Host.Security;

/// <summary>
/// Development only: signs in a caller without a token as a guest who may do everything with documents and channels, and on the
/// server's own machine administer it. A browser keeps its guest in a cookie.
/// </summary>
internal sealed class GuestAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, IOptions<HostFilteringOptions> hosts)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public new const string Scheme = "Guest";

    private const string Cookie = "collab-guest";
    private const string Grants =
        """
        [{ "document": "*", "access": ["read", "write"] }, { "channel": "*", "access": ["subscribe", "publish", "presence"] }]
        """;
    private const string Administers = """{ "admin": true }""";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!Request.IsHttps && !IsOfThisServer(Request.Host.Host))
        {
            HostLog.GuestFromElsewhere(Logger);
            return Task.FromResult(AuthenticateResult.Fail("Guests come over https, or by localhost, an IP address or a name in AllowedHosts."));
        }

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
            [new Claim(ClaimTypes.NameIdentifier, name), new Claim(ClaimTypes.Name, name), new Claim("collab", IsOfThisMachine ? Administers : Grants)], Scheme);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme)));
    }

    // Whoever comes through a proxy or a tunnel on this machine does not come from it.
    private bool IsOfThisMachine =>
        Request.Host.Host is "localhost" or "127.0.0.1" or "[::1]"
        && !Request.Headers.ContainsKey("X-Forwarded-For")
        && !Request.Headers.ContainsKey("Forwarded")
        && Context.Connection.RemoteIpAddress is { } address
        && IPAddress.IsLoopback(address);

    // A foreign page can have its own name point here (DNS rebinding); it is of the server's origin then, and must not be a guest.
    // Over https the certificate would not fit.
    private bool IsOfThisServer(string name) =>
        name is "localhost"
        || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || IPAddress.TryParse(name, out _)
        || hosts.Value.AllowedHosts.Any(allowed => allowed != "*");
}
