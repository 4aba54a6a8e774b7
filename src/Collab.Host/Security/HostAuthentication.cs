using Collab.Server;
using Collab.Server.Limits;
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

    /// <summary>How much the clocks of servers differ: nobody is let in for much longer than a connection lasts.</summary>
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(5);

    /// <exception cref="InvalidOperationException">Outside Development, nothing is configured that could tell who a caller is.</exception>
    public static void AddCollabAuthentication(
        this IServiceCollection services, IConfiguration configuration, IHostEnvironment environment)
    {
        var keys = new BearerKeys(configuration.GetSection(BearerSection));
        var guestsAllowed = environment.IsDevelopment();
        if (!guestsAllowed && keys.Algorithms.Count == 0)
        {
            throw new InvalidOperationException(
                $"Collab does not start open to everybody. Set {BearerSection}:Authority to your identity provider, or "
                + $"{BearerSection}:PublicKeyFiles:0 (a PEM file) or {BearerSection}:SigningKeys:0:Value (base64; and SigningKeys:0:Issuer), "
                + "with ValidIssuer and ValidAudiences; or set ASPNETCORE_ENVIRONMENT=Development to try it with guests.");
        }

        var sources = new TokenSources(configuration);
        services.AddSingleton(sources);
        var authentication = services
            .AddAuthentication(guestsAllowed ? GuestAuthentication.Scheme : JwtBearerDefaults.AuthenticationScheme)
            .AddCollabTickets()
            .AddJwtBearer(options =>
            {
                options.MapInboundClaims = false;
                options.ForwardDefaultSelector = TicketDefaults.SchemeOf;
                var validation = options.TokenValidationParameters;
                validation.IssuerSigningKeys = [.. validation.IssuerSigningKeys ?? [], .. keys.PublicKeys];
                validation.ValidAlgorithms = keys.Algorithms;
                validation.ClockSkew = ClockSkew;
                options.Events = new JwtBearerEvents
                {
                    OnMessageReceived = context =>
                    {
                        context.Token = sources.Elsewhere(context.Request);
                        return Task.CompletedTask;
                    },
                };
            });
        // An authority that cannot be used is told at the start, not by the first request.
        services.AddOptions<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme)
            .Validate(
                options => keys.Algorithms.Count == 0 || NamesIssuer(options),
                $"Set {BearerSection}:ValidIssuer to the 'iss' of your tokens: without it every token is refused.")
            .Validate(
                options => keys.Algorithms.Count == 0 || NamesAudience(options),
                $"Set {BearerSection}:ValidAudiences:0 to the 'aud' of your tokens: without it every token is refused.")
            .ValidateOnStart();
        if (guestsAllowed)
        {
            // Whoever tries something is alone on his machine. What is configured goes before this.
            services.Configure<LimitOptions>(limits =>
                (limits.ConnectionsPerUser, limits.ConnectionsPerAddress, limits.RequestsPerSecond) = (0, 0, 0));
            // A caller with a token is the bearer of it, never a guest: not even when the token is refused.
            authentication.AddScheme<AuthenticationSchemeOptions, GuestAuthentication>(
                GuestAuthentication.Scheme,
                options => options.ForwardDefaultSelector = context => TicketDefaults.SchemeOf(context)
                    ?? (sources.IsIn(context.Request) ? JwtBearerDefaults.AuthenticationScheme : null));
        }
    }

    // An identity provider says who it is.
    private static bool NamesIssuer(JwtBearerOptions options) =>
        options.ConfigurationManager is not null
        || options.TokenValidationParameters is { ValidateIssuer: false }
        || !string.IsNullOrEmpty(options.TokenValidationParameters.ValidIssuer)
        || options.TokenValidationParameters.ValidIssuers?.Any() is true;

    private static bool NamesAudience(JwtBearerOptions options) =>
        options.TokenValidationParameters is { ValidateAudience: false }
        || !string.IsNullOrEmpty(options.Audience)
        || !string.IsNullOrEmpty(options.TokenValidationParameters.ValidAudience)
        || options.TokenValidationParameters.ValidAudiences?.Any() is true;
}
