using System.Security.Claims;
using System.Text;
using Collab.Protocol;
using Collab.Server.Documents.Data;
using Collab.Server.Documents.RichText;
using Collab.Server.Rooms;
using Collab.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Collab.Server.Documents.Versions;

/// <summary>Versions of documents over HTTP.</summary>
internal static class VersionEndpoints
{
    /// <summary>Maps <c>/documents/{id}/versions</c> and what is below it.</summary>
    public static void MapVersions(this RouteGroupBuilder documents)
    {
        documents.MapGet("/{documentId}/versions", ListAsync)
            .WithSummary("Lists the versions of a document, the newest first")
            .Produces<VersionList>()
            .RefusesAsUsual();
        documents.MapPost("/{documentId}/versions", CreateAsync)
            .WithSummary("Makes a version of the document as it is")
            .WithDescription($"With `{{ \"name\" }}`, 1 to {DocumentVersions.MaxNameLength} characters, or without. Needs `write`.")
            .Accepts<VersionName>("application/json")
            .Produces<DocumentVersion>(StatusCodes.Status201Created)
            .RefusesAsUsual();
        documents.MapGet("/{documentId}/versions/{version}", GetAsync)
            .WithSummary("Reads the document as it was at a version")
            .WithDescription("In the forms in which a document can be had, by `Accept`.")
            .Produces<object>(StatusCodes.Status200OK, DocumentFormat.Json, DocumentFormat.Html, DocumentFormat.Markdown, DocumentFormat.Update)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .RefusesAsUsual();
        documents.MapGet("/{documentId}/versions/{version}/changes", CompareAsync)
            .WithSummary("Tells what has changed up to a version, and who wrote it")
            .WithDescription("Since the version `from`, else since the beginning. As `application/json` the places of the JSON view that differ, and the texts as "
                + "runs; as `text/html` rich text with `ins` and `del`, whose `data-author` is a user's id.")
            .Produces<object>(StatusCodes.Status200OK, DocumentFormat.Json, DocumentFormat.Html)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .RefusesAsUsual();
        documents.MapPost("/{documentId}/versions/{version}/restore", RestoreAsync)
            .WithSummary("Makes the document say again what it said at a version")
            .WithDescription("As a new edit, which all see live: nothing of the history is lost. Needs `write`.")
            .Produces<DocumentWriteEndpoints.Written>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .RefusesAsUsual();
        documents.MapPatch("/{documentId}/versions/{version}", RenameAsync)
            .WithSummary("Names a version")
            .Accepts<VersionName>("application/json")
            .Produces<DocumentVersion>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .RefusesAsUsual();
        documents.MapDelete("/{documentId}/versions/{version}", DeleteAsync)
            .WithSummary("Takes a version away")
            .Produces(StatusCodes.Status204NoContent)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .RefusesAsUsual();
    }

    private static async Task<IResult> ListAsync(HttpContext context, RoomAuthorizer authorizer, DocumentVersions versions, string documentId)
    {
        documentId = await CheckMayReadAsync(context.User, authorizer, documentId);
        return TypedResults.Ok(new VersionList(await versions.ListAsync(documentId, context.RequestAborted)));
    }

    private static async Task<IResult> CreateAsync(HttpContext context, DocumentService documents, DocumentVersions versions, string documentId)
    {
        var caller = Caller.Of(context);
        documentId = DocumentEndpoints.NameOf(documentId);
        await documents.CheckMayWriteAsync(caller, documentId);
        var name = context.Request.ContentLength is 0 or null && !context.Request.Headers.ContainsKey(HeaderNames.TransferEncoding) ? null : await ReadNameAsync(context);
        var version = await versions.CreateAsync(documentId, name, caller.UserId, isAutomatic: false, context.RequestAborted);
        return TypedResults.Created($"{context.Request.Path}/{version!.Id}", version);
    }

    private static async Task<IResult> GetAsync(
        HttpContext context, RoomAuthorizer authorizer, DocumentVersions versions, string documentId, string version, string? root = null)
    {
        documentId = await CheckMayReadAsync(context.User, authorizer, documentId);
        context.Response.Headers.Vary = HeaderNames.Accept;
        switch (DocumentFormat.Choose(context.Request.GetTypedHeaders().Accept))
        {
            case DocumentFormat.Update:
                return TypedResults.Bytes(await versions.GetUpdateAsync(documentId, version, context.RequestAborted), DocumentFormat.Update);
            case DocumentFormat.Html:
                return Html(context, await versions.ReadAsync(documentId, version, doc => RichTextView.ToHtml(doc, root), context.RequestAborted));
            case DocumentFormat.Markdown or DocumentFormat.Text:
                return TypedResults.Text(
                    await versions.ReadAsync(documentId, version, doc => RichTextView.ToMarkdown(doc, root), context.RequestAborted), DocumentFormat.Markdown, Encoding.UTF8);
            default:
                return TypedResults.Text(await versions.ReadAsync(documentId, version, ManagedEngine.ToJson, context.RequestAborted), DocumentFormat.Json, Encoding.UTF8);
        }
    }

    private static async Task<IResult> CompareAsync(
        HttpContext context, RoomAuthorizer authorizer, DocumentVersions versions, string documentId, string version, string? from = null, string? root = null)
    {
        documentId = await CheckMayReadAsync(context.User, authorizer, documentId);
        context.Response.Headers.Vary = HeaderNames.Accept;
        if (DocumentFormat.Choose(context.Request.GetTypedHeaders().Accept) != DocumentFormat.Html)
            return TypedResults.Ok(await versions.CompareAsync(documentId, from, version, VersionChanges.Of, context.RequestAborted));
        return Html(context, await versions.CompareAsync(
            documentId, from, version, comparison => RichTextView.ToHtml(comparison.Doc, root, new RichTextComparison(comparison)), context.RequestAborted));
    }

    private static async Task<IResult> RestoreAsync(
        HttpContext context, DocumentService documents, DocumentVersions versions, string documentId, string version)
    {
        var caller = Caller.Of(context);
        documentId = DocumentEndpoints.NameOf(documentId);
        await documents.CheckMayWriteAsync(caller, documentId);
        var position = await versions.RestoreAsync(documentId, version, caller.UserId, context.RequestAborted);
        return TypedResults.Ok(new DocumentWriteEndpoints.Written(position.ToString()));
    }

    private static async Task<IResult> RenameAsync(
        HttpContext context, DocumentService documents, DocumentVersions versions, string documentId, string version)
    {
        documentId = DocumentEndpoints.NameOf(documentId);
        await documents.CheckMayWriteAsync(Caller.Of(context), documentId);
        return TypedResults.Ok(await versions.ChangeAsync(documentId, version, await ReadNameAsync(context), context.RequestAborted));
    }

    private static async Task<IResult> DeleteAsync(
        HttpContext context, DocumentService documents, DocumentVersions versions, string documentId, string version)
    {
        documentId = DocumentEndpoints.NameOf(documentId);
        await documents.CheckMayWriteAsync(Caller.Of(context), documentId);
        await versions.ChangeAsync(documentId, version, null, context.RequestAborted);
        return TypedResults.NoContent();
    }

    private static async Task<string> CheckMayReadAsync(ClaimsPrincipal user, RoomAuthorizer authorizer, string segment)
    {
        var documentId = DocumentEndpoints.NameOf(segment);
        DocumentService.CheckName(documentId);
        return await authorizer.MayAsync(user, new RoomKey(RoomKind.Document, documentId), Rights.Read)
            ? documentId
            : throw new CollabException(ErrorCodes.Forbidden, "you may not read this document");
    }

    private static async Task<string> ReadNameAsync(HttpContext context)
    {
        var name = (await JsonBody.ReadAsync<VersionName>(context, "{ \"name\": … }")).Name;
        return name is { Length: > 0 and <= DocumentVersions.MaxNameLength } && !name.Any(char.IsControl)
            ? name
            : throw new CollabException(ErrorCodes.InvalidArgument, $"a name is 1 to {DocumentVersions.MaxNameLength} characters without control characters");
    }

    private static ContentHttpResult Html(HttpContext context, string html)
    {
        context.Response.Headers.ContentSecurityPolicy = DocumentFormat.HtmlPolicy;
        return TypedResults.Text(html, DocumentFormat.Html, Encoding.UTF8);
    }

    /// <summary>The body of a request that names a version.</summary>
    internal sealed record VersionName(string? Name);

    /// <summary>The versions of a document.</summary>
    internal sealed record VersionList(IReadOnlyList<DocumentVersion> Versions);
}
