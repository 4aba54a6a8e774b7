using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace Collab.Server.Security;

/// <summary>Signs in the bearer of a token that came in a message, as a request with the token would.</summary>
internal sealed class MessageSignIn(IServiceScopeFactory scopes)
{
    /// <summary>Signs in the bearer of a token.</summary>
    /// <param name="connection">The request with which the connection began.</param>
    /// <param name="token">The token.</param>
    /// <returns>Null when it is none, has expired or is nobody's.</returns>
    public async Task<SignIn?> SignInAsync(HttpContext connection, string token)
    {
        await using var scope = scopes.CreateAsyncScope();
        // A request of its own: what has signed in the connection's has no say.
        var request = new DefaultHttpContext { RequestServices = scope.ServiceProvider, RequestAborted = connection.RequestAborted };
        request.Connection.RemoteIpAddress = connection.Connection.RemoteIpAddress;
        (request.Request.Scheme, request.Request.Host, request.Request.Path) =
            (connection.Request.Scheme, connection.Request.Host, connection.Request.Path);
        request.Request.Headers[HeaderNames.Authorization] = "Bearer " + token;
        var result = await request.AuthenticateAsync();
        return result is { Succeeded: true, Principal.Identity.IsAuthenticated: true } ? SignIn.Of(result) : null;
    }
}
