using System.Security.Claims;
using System.Text;
using Collab.Crdt;
using Collab.Protocol;
using Collab.Server.Documents.Data;
using Collab.Server.Documents.RichText;
using Collab.Server.Documents.Versions;
using Collab.Server.Rooms;
using Collab.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Collab.Server.Documents;

/// <summary>Documents over HTTP: which there are, and what is in one.</summary>
internal static class DocumentEndpoints
{
    private const int MaxLimit = 1000;

    /// <summary>Maps <c>GET /documents</c> and <c>GET /documents/{id}</c>.</summary>
    public static RouteGroupBuilder MapDocuments(this IEndpointRouteBuilder endpoints)
    {
        var documents = endpoints.MapGroup("/documents").WithTags("Documents").RequireAuthorization();
        documents.AddEndpointFilter<CollabProblemFilter>();
        documents.MapGet("", ListAsync)
            .WithSummary("Lists the documents that the caller may read")
            .WithDescription("In ordinal order, `limit` at most (1 to 1,000); a page may be shorter. Give `next` as `after` for the rest.")
            .RefusesAsUsual();
        documents.MapGet("/{documentId}", GetAsync)
            .WithoutProxyBuffering()
            .WithSummary("Reads a document as JSON, as text, HTML or Markdown, as a Yjs update, or follows it")
            .WithDescription("By the header `Accept`. `root` names the root whose text is wanted, where there are several. As `text/event-stream` the "
                + "JSON view: first `put` of all, then `put` of a place or `patch` of several as they change, also after `Last-Event-ID`.")
            .Produces<object>(
                StatusCodes.Status200OK, DocumentFormat.Json, DocumentFormat.Text, DocumentFormat.Html, DocumentFormat.Markdown, DocumentFormat.Update, DocumentFormat.EventStream)
            .Produces(StatusCodes.Status304NotModified)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status406NotAcceptable)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
            .RefusesAsUsual();
        documents.MapWriting();
        documents.MapVersions();
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
        {
            return CollabProblemFilter.Problem(
                ErrorCodes.TooLarge,
                $"limit is 1 to {MaxLimit}, prefix and after are at most {RoomName.MaxLength} characters",
                StatusCodes.Status400BadRequest);
        }

        var names = await log.ListAsync(RoomKind.Document, prefix ?? "", after, limit, cancellationToken);
        var readable = new List<string>(names.Count);
        foreach (var name in names)
        {
            if (await authorizer.MayAsync(user, new RoomKey(RoomKind.Document, name), Rights.Read))
                readable.Add(name);
        }

        return TypedResults.Ok(new DocumentList(readable, names.Count == limit ? names[^1] : null));
    }

    /// <summary>One document, in the form that the caller accepts. See <c>docs/protocol.md</c>.</summary>
    private static async Task<IResult> GetAsync(
        DocumentService documents, DocumentViewStream stream, HttpContext context, string documentId, string? root = null, string? after = null)
    {
        var (user, cancellationToken) = (context.User, context.RequestAborted);
        documentId = NameOf(documentId);
        context.Response.Headers.Vary = HeaderNames.Accept;
        context.Response.Headers.CacheControl = "private, no-cache";

        switch (DocumentFormat.Choose(context.Request.GetTypedHeaders().Accept))
        {
            case DocumentFormat.Update:
                var state = await documents.GetAsync(user, documentId, cancellationToken);
                return Answer(state.Update, DocumentFormat.Update, state.Position);
            case DocumentFormat.EventStream:
                var lastId = context.Request.Headers["Last-Event-ID"].ToString();
                await stream.StreamAsync(context, documentId, lastId.Length > 0 ? lastId : after);
                return TypedResults.Empty;
            case DocumentFormat.Html:
                context.Response.Headers.ContentSecurityPolicy = DocumentFormat.HtmlPolicy;
                return await RenderAsync(documents, context, documentId, DocumentFormat.Html, doc => RichTextView.ToHtml(doc, root));
            case DocumentFormat.Markdown:
                return await RenderAsync(documents, context, documentId, DocumentFormat.Markdown, doc => RichTextView.ToMarkdown(doc, root));
            case DocumentFormat.Text:
                var (text, textPosition) = await documents.ReadAsync(
                    user, documentId, content => Encoding.UTF8.GetBytes(TextOf(content, root)), cancellationToken);
                return Answer(text, DocumentFormat.Text + "; charset=utf-8", textPosition);
            default:
                var (json, position) = await documents.ReadAsync(
                    user, documentId, static content => Encoding.UTF8.GetBytes(content.ToJson()), cancellationToken);
                return Answer(json, DocumentFormat.Json, position);
        }
    }

    private static async Task<IResult> RenderAsync(
        DocumentService documents, HttpContext context, string documentId, string type, Func<Doc, string> render)
    {
        var (text, position) = await documents.ReadAsync(
            context.User, documentId, content => Encoding.UTF8.GetBytes(content.Read(render)), context.RequestAborted);
        return Answer(text, type + "; charset=utf-8", position);
    }

    /// <summary>A name is one segment of the path, in which <c>%2F</c> is not decoded; no name has a percent sign.</summary>
    public static string NameOf(string segment) => segment.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    /// <summary>The text of the named root, else of the only root that is a text.</summary>
    private static string TextOf(IDocumentContent content, string? root)
    {
        var roots = content.Roots;
        if (root is null)
        {
            // Of a text from which all was deleted one cannot tell that it is one.
            string[] texts = [.. roots.Where(one => one.Value is RootKind.Text).Select(one => one.Key)];
            if (texts.Length == 0)
                texts = [.. roots.Where(one => one.Value is RootKind.Empty).Select(one => one.Key)];
            return texts.Length == 1
                ? content.TextOf(texts[0])
                : throw new CollabException(ErrorCodes.NotAcceptable, "the document has not one text but several or none; name a root with ?root=");
        }

        if (!roots.TryGetValue(root, out var kind))
            throw new CollabException(ErrorCodes.NotFound, "the document has no such root");
        return kind is RootKind.Text or RootKind.Xml or RootKind.Empty
            ? content.TextOf(root)
            : throw new CollabException(ErrorCodes.NotAcceptable, "the root is not a text; it can be had as application/json");
    }

    // Weak: the same document at the same position can have other bytes once its log was compacted.
    private static FileContentHttpResult Answer(byte[] bytes, string type, string position) =>
        TypedResults.Bytes(bytes, type, entityTag: new EntityTagHeaderValue($"\"{position}\"", isWeak: true));

    /// <summary>A page of the list.</summary>
    internal sealed record DocumentList(IReadOnlyList<string> Documents, string? Next);
}
