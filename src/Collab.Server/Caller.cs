using System.Security.Claims;
using Collab.Server.Security;
using Microsoft.AspNetCore.Http;

namespace Collab.Server;

/// <summary>Who calls a service, over whatever wire. Of a connection it is one object as long as the connection lasts.</summary>
/// <param name="connectionId">The connection that the call came over; over HTTP, where each call has its own, one name for all of a user.</param>
/// <param name="signIn">As whom he has signed in.</param>
/// <param name="userId">The user's id, as SignalR's user id provider gives it; null when he has none.</param>
internal sealed class Caller(string connectionId, SignIn signIn, string? userId)
{
    private SignIn _signIn = signIn;

    public string ConnectionId { get; } = connectionId;

    public string? UserId { get; } = userId;

    /// <summary>As whom he has signed in last: a connection can go on with a newer token of the same user.</summary>
    public SignIn SignIn
    {
        get => Volatile.Read(ref _signIn);
        set => Volatile.Write(ref _signIn, value);
    }

    /// <summary>The user with the rights that he has now.</summary>
    public ClaimsPrincipal User => SignIn.User;

    /// <summary>Who calls over HTTP. His rates are counted for the user, or, of one without an id, for where he comes from.</summary>
    public static Caller Of(HttpContext context) =>
        new(KeyOf(context), SignIn.Of(context), SubjectUserIdProvider.IdOf(context.User));

    /// <summary>The <see cref="ConnectionId"/> of who calls over HTTP.</summary>
    public static string KeyOf(HttpContext context) => SubjectUserIdProvider.IdOf(context.User) is { } user
        ? $"http user {user}"
        : $"http {context.Connection.RemoteIpAddress}";
}
