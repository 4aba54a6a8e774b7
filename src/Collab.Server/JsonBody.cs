using System.Text.Json;
using Collab.Protocol;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Collab.Server;

/// <summary>
/// Reads a small JSON object from a request. ASP.NET Core's own reading fails with an error of the server when the caller's header names
/// an encoding that does not exist; here JSON is UTF-8 (RFC 8259).
/// </summary>
internal static class JsonBody
{
    private const int MaxBytes = 16 * 1024;

    /// <param name="context">The request.</param>
    /// <param name="shape">How the object looks, for who sends something else.</param>
    /// <exception cref="CollabException"><c>invalid_argument</c>: it is something else.</exception>
    public static async Task<T> ReadAsync<T>(HttpContext context, string shape)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = MaxBytes;
        try
        {
            // Routing has refused other types; this is for none.
            if (context.Request.HasJsonContentType()
                && await JsonSerializer.DeserializeAsync<T>(context.Request.Body, JsonSerializerOptions.Web, context.RequestAborted) is { } body)
            {
                return body;
            }
        }
        catch (JsonException)
        {
            // Told below.
        }

        throw new CollabException(ErrorCodes.InvalidArgument, $"the body is application/json, an object: {shape}");
    }
}
