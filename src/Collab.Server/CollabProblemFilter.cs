using System.Globalization;
using Collab.Protocol;
using Collab.Server.Rooms;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Collab.Server;

/// <summary>Gives HTTP callers a <see cref="CollabException"/> as a problem document (RFC 9457) with its stable code.</summary>
internal sealed class CollabProblemFilter : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        // Set before the filters run when a parameter is not of its type.
        if (context.HttpContext.Response.StatusCode == StatusCodes.Status400BadRequest)
            return Problem(ErrorCodes.InvalidArgument, "a parameter is missing or not of its type");
        try
        {
            return await next(context);
        }
        catch (CollabException exception)
        {
            return Problem(context.HttpContext, exception);
        }
        catch (BadHttpRequestException exception)
        {
            // The body is broken, too slow or too large.
            return Problem(
                exception.StatusCode == StatusCodes.Status413PayloadTooLarge ? ErrorCodes.TooLarge : ErrorCodes.InvalidArgument,
                exception.Message,
                exception.StatusCode);
        }
        catch (IOException) when (!context.HttpContext.Response.HasStarted)
        {
            return Problem(ErrorCodes.InvalidArgument, "the body cannot be read");
        }
        catch (RoomLogUnavailableException)
        {
            return Problem(ErrorCodes.Unavailable, "the store cannot be read now; try again later");
        }
    }

    /// <summary>Answers a request with the problem document for an error.</summary>
    public static Task RefuseAsync(HttpContext context, CollabException exception) => Problem(context, exception).ExecuteAsync(context);

    /// <summary>The problem document for an error.</summary>
    /// <param name="code">One of <see cref="ErrorCodes"/>.</param>
    /// <param name="detail">A sentence for the developer who made the call.</param>
    /// <param name="status">The status, when it is not the code's usual one.</param>
    public static ProblemHttpResult Problem(string code, string detail, int? status = null) =>
        TypedResults.Problem(
            detail, statusCode: status ?? StatusOf(code), extensions: [KeyValuePair.Create<string, object?>("code", code)]);

    private static ProblemHttpResult Problem(HttpContext context, CollabException exception)
    {
        if (exception.RetryAfter is { } wait)
            context.Response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        return Problem(exception.Code, exception.Message);
    }

    private static int StatusOf(string code) => code switch
    {
        ErrorCodes.Forbidden => StatusCodes.Status403Forbidden,
        ErrorCodes.NotFound => StatusCodes.Status404NotFound,
        ErrorCodes.NotAcceptable => StatusCodes.Status406NotAcceptable,
        ErrorCodes.Conflict => StatusCodes.Status409Conflict,
        ErrorCodes.Rejected => StatusCodes.Status422UnprocessableEntity,
        ErrorCodes.PreconditionFailed => StatusCodes.Status412PreconditionFailed,
        ErrorCodes.UnsupportedType => StatusCodes.Status415UnsupportedMediaType,
        ErrorCodes.TooLarge => StatusCodes.Status413PayloadTooLarge,
        ErrorCodes.RateLimited or ErrorCodes.TooMany => StatusCodes.Status429TooManyRequests,
        ErrorCodes.Unavailable => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status400BadRequest,
    };
}
