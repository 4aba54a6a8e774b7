using Collab.Protocol;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Collab.Server.Documents.Data;

/// <summary>What a request demands of the document before it is changed: <c>If-Match</c> and <c>If-None-Match</c> of RFC 9110.</summary>
/// <param name="Matches">The positions of which it must be at one; null when it need not.</param>
/// <param name="MustExist">It must have been written to (<c>If-Match: *</c>).</param>
/// <param name="MustNotExist">It must be empty (<c>If-None-Match: *</c>).</param>
internal sealed record DocumentConditions(IReadOnlyList<string>? Matches, bool MustExist, bool MustNotExist)
{
    public static DocumentConditions None { get; } = new(null, false, false);

    /// <summary>Reads the headers. A tag is a position; its mark of weakness is passed over, as a position says which updates there are.</summary>
    /// <exception cref="CollabException"><c>invalid_argument</c>: they demand something else.</exception>
    public static DocumentConditions Of(HttpRequest request)
    {
        var headers = request.GetTypedHeaders();
        if (headers.IfNoneMatch is { Count: > 0 } none && none is not [{ Tag.Value: "*" }])
            throw new CollabException(ErrorCodes.InvalidArgument, "of If-None-Match a write takes * alone");
        var matches = headers.IfMatch;
        var any = matches is [{ Tag.Value: "*" }];
        return new(
            matches is { Count: > 0 } && !any ? [.. matches.Select(Unquoted)] : null,
            any,
            headers.IfNoneMatch is { Count: > 0 });
    }

    /// <summary>Whether something must hold until the change is committed.</summary>
    public bool AreAny => Matches is not null || MustExist || MustNotExist;

    /// <exception cref="CollabException"><c>precondition_failed</c>.</exception>
    public void Check(DocumentState state)
    {
        var exists = state.Offset > 0;
        if ((MustExist && !exists) || (MustNotExist && exists) || (Matches is not null && !(exists && Matches.Contains(state.Position))))
            throw Failed();
    }

    public static CollabException Failed() =>
        new(ErrorCodes.PreconditionFailed, "the document was changed meanwhile, or is not as demanded: read it again and decide anew");

    private static string Unquoted(EntityTagHeaderValue tag) => tag.Tag.Value!.Trim('"');
}
