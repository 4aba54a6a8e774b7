using System.Security.Claims;
using Collab.Protocol;
using Collab.Server.Rooms;
using Collab.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Collab.Server.Documents;

/// <summary>Documents over HTTP: which there are.</summary>
internal static class DocumentEndpoints
{
    private const int MaxLimit = 1000;

    /// <summary>Maps <c>GET /documents</c>.</summary>
    public static RouteGroupBuilder MapDocuments(this IEndpointRouteBuilder endpoints)
    {
        var documents = endpoints.MapGroup("/documents").RequireAuthorization();
        documents.MapGet("", ListAsync);
        return documents;
    }

    /// <summary>
    /// The documents that the caller may read, in ordinal order. What he may not read is left out, so a page can be shorter than
    /// asked for; <c>next</c> is what to give as <c>after</c> for the rest, and null at the end.
    /// </summary>
    private static async Task<Results<Ok<DocumentList>, ProblemHttpResult>> ListAsync(
        IRoomLog log,
        RoomAuthorizer authorizer,
        ClaimsPrincipal user,
        string? prefix = null,
        string? after = null,
        int limit = 100,
        CancellationToken cancellationToken = default)
    {
        if (limit is < 1 or > MaxLimit || prefix?.Length > RoomName.MaxLength || after?.Length > RoomName.MaxLength)
            return Problem(StatusCodes.Status400BadRequest, ErrorCodes.TooLarge, $"limit is 1 to {MaxLimit}, prefix and after are at most {RoomName.MaxLength} characters");

        IReadOnlyList<string> names;
        try
        {
            names = await log.ListAsync(RoomKind.Document, prefix ?? "", after, limit, cancellationToken);
        }
        catch (RoomLogUnavailableException)
        {
            return Problem(StatusCodes.Status503ServiceUnavailable, ErrorCodes.Unavailable, "the store cannot be read now; try again later");
        }

        var readable = new List<string>(names.Count);
        foreach (var name in names)
        {
            if (await authorizer.MayAsync(user, new RoomKey(RoomKind.Document, name), Rights.Read))
                readable.Add(name);
        }

        return TypedResults.Ok(new DocumentList(readable, names.Count == limit ? names[^1] : null));
    }

    private static ProblemHttpResult Problem(int status, string code, string detail) =>
        TypedResults.Problem(detail, statusCode: status, extensions: [KeyValuePair.Create<string, object?>("code", code)]);

    /// <summary>A page of the list.</summary>
    internal sealed record DocumentList(IReadOnlyList<string> Documents, string? Next);
}
