using Collab.Protocol;
using Collab.Server.Rooms;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Collab.Server.Security;

/// <summary>Taking access away over HTTP.</summary>
internal static class RevocationEndpoints
{
    private const int MaxIdLength = 1024;

    /// <summary>Maps <c>POST /admin/revocations</c>.</summary>
    public static void MapRevocations(this IEndpointRouteBuilder endpoints) => endpoints
        .MapPost("/admin/revocations", RevokeAsync)
        .RequireAuthorization()
        .AddEndpointFilter<CollabProblemFilter>()
        .WithTags("Administration")
        .WithSummary("Takes access away from tokens issued until now")
        .WithDescription("From a `user`, from a `session` (a token's `sid`, else its `jti`), from everybody to a `document` or `channel`, or from "
            + "a user or session to a document or channel. Live connections lose it at once; a token issued later counts again. Needs the grant "
            + "`{ \"admin\": true }`, or `admin` in the document or channel when only that is named.")
        .Accepts<RevocationRequest>("application/json")
        .Produces<Revoked>()
        .RefusesAsUsual();

    private static async Task<IResult> RevokeAsync(
        HttpContext context, RoomAuthorizer authorizer, RevocationLog log, TimeProvider clock)
    {
        var (user, session, document, channel) = await JsonBody.ReadAsync<RevocationRequest>(context, "{ \"user\": … }");
        if (user is null && session is null && document is null && channel is null)
            throw Invalid("name a user, a session, a document or a channel");
        if (document is not null && channel is not null)
            throw Invalid("name a document or a channel, not both");
        if (user is { Length: 0 or > MaxIdLength } || session is { Length: 0 or > MaxIdLength })
            throw Invalid($"ids are 1 to {MaxIdLength} characters");
        if ((document ?? channel) is { } name && !RoomName.IsValid(name))
            throw new CollabException(ErrorCodes.InvalidName, "this is no name of a document or channel");

        var revocation = new Revocation(user, session, document, channel, clock.GetUtcNow().ToUnixTimeMilliseconds());
        // Whoever administers a room may empty it, but not say what a user may do elsewhere.
        var isOfRoom = user is null && session is null;
        if (!await (isOfRoom ? authorizer.MayAsync(context.User, revocation.Room!.Value, Rights.Admin) : authorizer.MayAdministerAsync(context.User)))
            throw new CollabException(ErrorCodes.Forbidden, "you may not take this access away");
        await log.AddAsync(revocation, SubjectUserIdProvider.IdOf(context.User));
        return TypedResults.Ok(new Revoked(revocation.At));
    }

    private static CollabException Invalid(string why) => new(ErrorCodes.InvalidArgument, why);

    /// <summary>What to take away.</summary>
    internal sealed record RevocationRequest(string? User = null, string? Session = null, string? Document = null, string? Channel = null);

    /// <summary>From which moment on tokens count again, in milliseconds since 1970: those issued in a later second do.</summary>
    internal sealed record Revoked(long At);
}
