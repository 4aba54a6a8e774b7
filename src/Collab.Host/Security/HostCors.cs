using Collab.Server.Security;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Collab.Host.Security;

/// <summary>Lets the scripts of allowed origins read answers (CORS). What others may not do, the server refuses by itself.</summary>
internal static class HostCors
{
    private static readonly TimeSpan PreflightMaxAge = TimeSpan.FromMinutes(10);

    public static void AddCollabCors(this IServiceCollection services)
    {
        services.AddCors();
        services.AddOptions<CorsOptions>().Configure<IOptions<OriginOptions>>((cors, origins) => cors.AddDefaultPolicy(policy => policy
            .WithOrigins([.. origins.Value.AllowedOrigins])
            .AllowCredentials()
            .AllowAnyHeader()
            .AllowAnyMethod()
            .WithExposedHeaders(HeaderNames.ETag, HeaderNames.RetryAfter)
            .SetPreflightMaxAge(PreflightMaxAge)));
    }

    /// <summary>Before authentication, as a preflight carries no token and a refusal shall be readable too.</summary>
    public static void UseCollabCors(this WebApplication app)
    {
        if (app.Services.GetRequiredService<IOptions<OriginOptions>>().Value.AllowedOrigins.Count > 0)
            app.UseCors();
    }
}
