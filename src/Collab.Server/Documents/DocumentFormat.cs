using Collab.Protocol;
using Microsoft.Net.Http.Headers;

namespace Collab.Server.Documents;

/// <summary>The forms in which a document can be had over HTTP.</summary>
internal static class DocumentFormat
{
    public const string Json = "application/json";
    public const string Update = "application/octet-stream";
    public const string Text = "text/plain";
    public const string Html = "text/html";
    public const string Markdown = "text/markdown";
    public const string EventStream = "text/event-stream";

    /// <summary>The policy of what others wrote: nothing may act there, whatever the writer of HTML has overlooked.</summary>
    public const string HtmlPolicy = "default-src 'none'; img-src https: http:; sandbox";

    // Of forms that a caller likes equally the first is taken.
    private static readonly string[] All = [Json, Update, Text, Html, Markdown, EventStream];

    /// <summary>The form that the caller likes best, by RFC 9110: the most specific range that matches a form says how much.</summary>
    /// <exception cref="CollabException">He accepts none of them.</exception>
    public static string Choose(IList<MediaTypeHeaderValue> accept) =>
        accept.Count == 0 ? Json
        : All.MaxBy(format => Quality(format, accept)) is { } best && Quality(best, accept) > 0 ? best
        : throw new CollabException(ErrorCodes.NotAcceptable, $"a document can be had as {string.Join(", ", All)}");

    private static double Quality(string format, IEnumerable<MediaTypeHeaderValue> accept)
    {
        var type = new MediaTypeHeaderValue(format);
        var mostSpecific = accept
            .Where(range => type.IsSubsetOf(new MediaTypeHeaderValue(range.MediaType)))
            .MinBy(range => range.MatchesAllTypes ? 2 : range.MatchesAllSubTypes ? 1 : 0);
        return mostSpecific is null ? 0 : mostSpecific.Quality ?? 1;
    }
}
