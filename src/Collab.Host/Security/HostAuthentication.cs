using Collab.Server;
using Collab.Server.Security;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;

namespace Collab.Host.Security;

/// <summary>
/// Who is let in: bearers of a JWT, by ASP.NET Core's own section <c>Authentication:Schemes:Bearer</c>; who has bought a ticket; and in
/// Development, guests.
/// </summary>
internal static class HostAuthentication
{
    private const string BearerSection = "Authentication:Schemes:" + JwtBearerDefaults.AuthenticationScheme;

    /// <exception cref="InvalidOperationException">Outside Development, nothing is configured that could tell who a caller is.</exception>
    public static void AddCollabAuthentication(
        this IServiceCollection services, IConfiguration configuration, IHostEnvironment environment)
    {
        var bearer = configuration.GetSection(BearerSection);
        var guestsAllowed = environment.IsDevelopment();
        if (!guestsAllowed && bearer["Authority"] is null && !bearer.GetSection("SigningKeys").GetChildren().Any(key => !string.IsNullOrEmpty(key["Value"])))
        {
            throw new InvalidOperationException(
                $"Collab does not start open to everybody. Set {BearerSection}:Authority to your identity provider, or "
                + $"{BearerSection}:SigningKeys:0:Value (base64) with {BearerSection}:ValidIssuer, SigningKeys:0:Issuer and ValidAudiences; "
                + "or set ASPNETCORE_ENVIRONMENT=Development to try it with guests.");
        }

        var authentication = services
            .AddAuthentication(guestsAllowed ? GuestAuthentication.Scheme : JwtBearerDefaults.AuthenticationScheme)
            .AddCollabTickets()
            .AddJwtBearer(options =>
            {
                options.MapInboundClaims = false;
                options.ForwardDefaultSelector = TicketDefaults.SchemeOf;
            });
        if (guestsAllowed)
        {
            // A caller with a token is the bearer of it, never a guest: not even when the token is refused.
            authentication.AddScheme<AuthenticationSchemeOptions, GuestAuthentication>(
                GuestAuthentication.Scheme,
                options => options.ForwardDefaultSelector = context => TicketDefaults.SchemeOf(context)
                    ?? (context.Request.Headers.ContainsKey("Authorization") ? JwtBearerDefaults.AuthenticationScheme : null));
        }
    }
}
