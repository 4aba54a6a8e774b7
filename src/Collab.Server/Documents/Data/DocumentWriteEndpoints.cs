using System.Text.Json;
using Collab.Protocol;
using Collab.Server.Rooms;
using Collab.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Collab.Server.Documents.Data;

/// <summary>Changing documents over HTTP. What is written is durable when it is answered, and all who are in the document see it live.</summary>
internal static class DocumentWriteEndpoints
{
    private const int MaxDepth = 64;

    /// <summary>Maps <c>PATCH</c>, <c>PUT</c> and <c>DELETE /documents/{id}</c>, and <c>POST /documents/{id}/updates</c>.</summary>
    public static void MapWriting(this RouteGroupBuilder documents)
    {
        documents.MapPatch("/{documentId}", PatchAsync)
            .WithSummary("Changes a document in one transaction")
            .WithDescription($"By `{DocumentPatch.JsonPatch}` (RFC 6902), `{DocumentPatch.MergePatch}` (RFC 7396) or `{DocumentPatch.TextDelta}` with "
                + "`?path=/text` (a delta as Quill's). Paths begin with the name of a root. Objects and lists become shared maps and arrays. "
                + "All or nothing; `409` when it does not fit the document as it is.")
            .Accepts<object>(DocumentPatch.JsonPatch, DocumentPatch.MergePatch, DocumentPatch.TextDelta)
            .Writes();
        documents.MapPut("/{documentId}", PutAsync)
            .WithSummary("Makes a document say what the body says")
            .WithDescription("As `application/json`, an object of the roots: what is equal stays, the rest is changed in its place. As "
                + "`application/octet-stream`, a Yjs update is merged into the document.")
            .Accepts<object>(DocumentFormat.Json, DocumentFormat.Update)
            .Writes();
        documents.MapPost("/{documentId}/updates", PushAsync)
            .WithSummary("Adds a Yjs update (format v1)")
            .Accepts<byte[]>(DocumentFormat.Update)
            .Writes();
        documents.MapDelete("/{documentId}", DeleteAsync)
            .WithSummary("Deletes a document")
            .WithDescription("Those who are in it are told, and out of it. Needs `admin` in the document. The next document of that name has another history.")
            .Produces(StatusCodes.Status204NoContent)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .RefusesAsUsual();
    }

    private static void Writes(this RouteHandlerBuilder endpoint) => endpoint
        .Produces<Written>()
        .ProducesProblem(StatusCodes.Status409Conflict)
        .ProducesProblem(StatusCodes.Status412PreconditionFailed)
        .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
        .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
        .RefusesAsUsual();

    private static async Task<IResult> PatchAsync(
        HttpContext context, DocumentService documents, DocumentEditor editor, IOptions<DocumentOptions> options, string documentId, string? path = null)
    {
        (documentId, var caller, var conditions) = await BeginAsync(context, documents, documentId);
        using var body = await ReadJsonAsync(context, options.Value);
        var edit = DocumentPatch.Read(TypeOf(context.Request), body.RootElement, path);
        return Answer(context, await editor.EditAsync(documentId, caller.UserId, conditions, edit, context.RequestAborted));
    }

    private static async Task<IResult> PutAsync(
        HttpContext context, DocumentService documents, DocumentEditor editor, IOptions<DocumentOptions> options, string documentId)
    {
        (documentId, var caller, var conditions) = await BeginAsync(context, documents, documentId);
        switch (TypeOf(context.Request))
        {
            case DocumentFormat.Json:
                using (var body = await ReadJsonAsync(context, options.Value))
                    return Answer(context, await editor.EditAsync(documentId, caller.UserId, conditions, DocumentPatch.Replace(body.RootElement), context.RequestAborted));
            case DocumentFormat.Update:
                var update = await ReadBytesAsync(context, options.Value);
                return Answer(context, await documents.WriteAsync(caller, documentId, update, conditions, context.RequestAborted));
            default:
                throw new CollabException(ErrorCodes.UnsupportedType, $"a document is {DocumentFormat.Json} or {DocumentFormat.Update}");
        }
    }

    private static async Task<IResult> PushAsync(
        HttpContext context, DocumentService documents, IOptions<DocumentOptions> options, string documentId)
    {
        (documentId, var caller, var conditions) = await BeginAsync(context, documents, documentId);
        if (TypeOf(context.Request) != DocumentFormat.Update)
            throw new CollabException(ErrorCodes.UnsupportedType, $"an update is {DocumentFormat.Update}");
        var update = await ReadBytesAsync(context, options.Value);
        return Answer(context, await documents.WriteAsync(caller, documentId, update, conditions, context.RequestAborted));
    }

    private static async Task<IResult> DeleteAsync(
        HttpContext context, RoomAuthorizer authorizer, IDocumentClient documents, string documentId)
    {
        documentId = DocumentEndpoints.NameOf(documentId);
        DocumentService.CheckName(documentId);
        if (!await authorizer.MayAsync(context.User, new RoomKey(RoomKind.Document, documentId), Rights.Admin))
            throw new CollabException(ErrorCodes.Forbidden, "you may not delete this document");
        return await documents.DeleteAsync(documentId, context.RequestAborted)
            ? TypedResults.NoContent()
            : throw new CollabException(ErrorCodes.NotFound, "there is no such document");
    }

    private static async Task<(string DocumentId, Caller Caller, DocumentConditions Conditions)> BeginAsync(
        HttpContext context, DocumentService documents, string segment)
    {
        var (documentId, caller) = (DocumentEndpoints.NameOf(segment), Caller.Of(context));
        await documents.CheckMayWriteAsync(caller, documentId);
        return (documentId, caller, DocumentConditions.Of(context.Request));
    }

    private static Ok<Written> Answer(HttpContext context, Position position)
    {
        context.Response.Headers.ETag = $"W/\"{position}\"";
        return TypedResults.Ok(new Written(position.ToString()));
    }

    private static string? TypeOf(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type) ? type.MediaType.Value?.ToLowerInvariant() : null;

    private static async Task<JsonDocument> ReadJsonAsync(HttpContext context, DocumentOptions options)
    {
        Limit(context, options);
        try
        {
            return await JsonDocument.ParseAsync(context.Request.Body, new JsonDocumentOptions { MaxDepth = MaxDepth }, context.RequestAborted);
        }
        catch (JsonException exception)
        {
            throw new CollabException(ErrorCodes.InvalidPatch, $"the body is no JSON of at most {MaxDepth} levels", exception);
        }
    }

    private static async Task<byte[]> ReadBytesAsync(HttpContext context, DocumentOptions options)
    {
        Limit(context, options);
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        return body.ToArray();
    }

    private static void Limit(HttpContext context, DocumentOptions options)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = options.MaxUpdateBytes;
    }

    /// <summary>What a write answers.</summary>
    /// <param name="Position">The document's position with it.</param>
    internal sealed record Written(string Position);
}
