using Collab.Protocol;
using Microsoft.Net.Http.Headers;

namespace Collab.Host.Security;

/// <summary>
/// Where a caller's token is looked for: in the header <c>Authorization</c>, and, where the operator wants it, in the address of the hub
/// and of the gateways, and in a cookie that the application's own pages have.
/// </summary>
internal sealed class TokenSources
{
    private const string QuerySetting = "Collab:Security:AcceptAccessTokenInQuery";
    private const string CookieSetting = "Collab:Security:TokenCookie";

    // The second is what y-sweet's clients call it.
    private static readonly string[] InQuery = ["access_token", "token"];

    // Where pages can send no header.
    private static readonly PathString[] ForPages = [HubContract.Path, "/yjs", "/hocuspocus"];

    private readonly string? _cookie;

    /// <exception cref="InvalidOperationException">The name of the cookie is none.</exception>
    public TokenSources(IConfiguration configuration)
    {
        IncludeQuery = configuration.GetValue<bool>(QuerySetting);
        _cookie = configuration[CookieSetting] is { Length: > 0 } name ? name : null;
        if (_cookie?.All(IsOfToken) == false)
            throw new InvalidOperationException($"{CookieSetting} must be the name of a cookie, such as __Secure-collab; '{_cookie}' is none.");
    }

    /// <summary>Whether the hub and the gateways take a token in the address too, as SignalR's clients in browsers send it.</summary>
    public bool IncludeQuery { get; }

    /// <summary>Whether a request has a token, whatever it is worth.</summary>
    public bool IsIn(HttpRequest request) => HasHeader(request) || Elsewhere(request) is not null;

    /// <summary>The token of a request that has none in its header; null when it has none at all.</summary>
    public string? Elsewhere(HttpRequest request) =>
        HasHeader(request) ? null
        : IncludeQuery && Array.Find(InQuery, request.Query.ContainsKey) is { } name
            && Array.Exists(ForPages, path => request.Path.StartsWithSegments(path, StringComparison.Ordinal))
            ? request.Query[name]
        : _cookie is not null ? request.Cookies[_cookie]
        : null;

    private static bool HasHeader(HttpRequest request) => request.Headers.ContainsKey(HeaderNames.Authorization);

    // RFC 9110, 5.6.2.
    private static bool IsOfToken(char character) => char.IsAsciiLetterOrDigit(character) || "!#$%&'*+-.^_`|~".Contains(character, StringComparison.Ordinal);
}
