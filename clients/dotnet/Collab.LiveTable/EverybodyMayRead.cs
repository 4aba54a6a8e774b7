using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Collab.LiveTable;

/// <summary>Signs everybody in as somebody who may read the table's channel. An application of yours knows who its users are, and gives grants to them.</summary>
internal sealed class EverybodyMayRead(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public new const string Scheme = "Everybody";

    private const string Grants = $$"""[{ "channel": "db:{{TaskTable.Name}}", "access": ["subscribe"] }]""";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var everybody = new ClaimsPrincipal(new ClaimsIdentity([new Claim("sub", "everybody"), new Claim("collab", Grants)], Scheme));
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(everybody, Scheme)));
    }
}
