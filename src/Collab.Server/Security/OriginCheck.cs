using System.Collections.Frozen;
using Collab.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Collab.Server.Security;

/// <summary>
/// Keeps out the scripts of foreign pages. Browsers let every page open a WebSocket and send forms to every server, with the cookies of
/// whoever looks at it; they say in the header <c>Origin</c> which page it is. Other programs send none and are not kept out.
/// </summary>
internal sealed class OriginCheck(IOptions<OriginOptions> options)
{
    private readonly FrozenSet<string> _allowed = options.Value.AllowedOrigins.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Refuses at these endpoints what comes from a foreign page.</summary>
    public TBuilder Guard<TBuilder>(TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoints.Add(endpoint =>
        {
            var next = endpoint.RequestDelegate!;
            endpoint.RequestDelegate = context => Allows(context.Request) ? next(context) : RefuseAsync(context);
        });
        return endpoints;
    }

    private static Task RefuseAsync(HttpContext context) =>
        CollabProblemFilter.Problem(ErrorCodes.Forbidden, "the page's origin is not among Collab:AllowedOrigins").ExecuteAsync(context);

    private bool Allows(HttpRequest request)
    {
        var origin = request.Headers.Origin;
        return origin.Count == 0 ? !IsEmbedded(request) : origin is [{ } one] && (_allowed.Contains(one) || IsOwn(one, request));
    }

    // A foreign page's image or script (Fetch Metadata): it comes with cookies and without an origin. Who follows a link is let in.
    private static bool IsEmbedded(HttpRequest request) =>
        request.Headers["Sec-Fetch-Site"] == "cross-site" && request.Headers["Sec-Fetch-Mode"] != "navigate";

    // Behind a proxy that ends TLS the request is http and the page https; a page over http is none of an https server's own.
    private static bool IsOwn(ReadOnlySpan<char> origin, HttpRequest request)
    {
        const string Secure = "https://", Plain = "http://";
        var authority = origin.StartsWith(Secure, StringComparison.OrdinalIgnoreCase) ? origin[Secure.Length..]
            : !request.IsHttps && origin.StartsWith(Plain, StringComparison.OrdinalIgnoreCase) ? origin[Plain.Length..]
            : [];
        return authority.Length > 0 && authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase);
    }
}
