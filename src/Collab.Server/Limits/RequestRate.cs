using Collab.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Collab.Server.Limits;

/// <summary>How many requests callers may make: of HTTP, and over the hub all but what is pushed and published.</summary>
internal sealed class RequestRate(IOptions<LimitOptions> options) : IDisposable
{
    private readonly CallRate<string> _rate = new(
        _ => (options.Value.RequestsPerSecond, options.Value.RequestBurst), "you ask too often", "requests");

    /// <summary>Counts the requests to these endpoints.</summary>
    public TBuilder Guard<TBuilder>(TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoints.Add(endpoint =>
        {
            var next = endpoint.RequestDelegate!;
            endpoint.RequestDelegate = context =>
            {
                try
                {
                    Count(context);
                }
                catch (CollabException exception)
                {
                    return CollabProblemFilter.RefuseAsync(context, exception);
                }

                return next(context);
            };
        });
        return endpoints;
    }

    /// <summary>Counts a request over HTTP.</summary>
    /// <exception cref="CollabException"><c>rate_limited</c>: there were too many.</exception>
    public void Count(HttpContext context) => Count(Caller.KeyOf(context));

    /// <summary>Counts a call.</summary>
    /// <inheritdoc cref="Count(HttpContext)"/>
    public void Count(Caller caller) => Count(caller.ConnectionId);

    private void Count(string caller) => _rate.Count(caller);

    public void Dispose() => _rate.Dispose();
}
