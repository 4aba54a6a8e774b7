using Collab.Protocol;
using Collab.Server.Rooms;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Logging;

namespace Collab.Server;

/// <summary>
/// Gives hub callers the stable code of a <see cref="CollabException"/>, first in the message of the error, and logs what nobody
/// expected. (SignalR itself logs every refusal as an error with its stack; the host turns that off, or any caller could flood the log.)
/// </summary>
internal sealed partial class CollabErrorFilter(Connections connections, ILogger<CollabErrorFilter> logger) : IHubFilter
{
    public async ValueTask<object?> InvokeMethodAsync(
        HubInvocationContext invocationContext, Func<HubInvocationContext, ValueTask<object?>> next)
    {
        try
        {
            return await next(invocationContext);
        }
        catch (Exception exception) when (ToHubException(exception) is { } refusal)
        {
            if (exception is CollabException { Code: ErrorCodes.RateLimited })
                connections.NoteRateLimited(invocationContext.Context.ConnectionId);
            throw refusal;
        }
        catch (Exception exception) when (exception is not OperationCanceledException and not HubException)
        {
            Failed(logger, invocationContext.HubMethodName, exception);
            throw;
        }
    }

    /// <summary>Does the same for a part of a stream: what fails after a stream has begun does not come by here.</summary>
    public static async Task<T> GuardAsync<T>(Func<Task<T>> part)
    {
        try
        {
            return await part();
        }
        catch (Exception exception) when (ToHubException(exception) is { } refusal)
        {
            throw refusal;
        }
    }

    // Null when nobody expected it.
    private static HubException? ToHubException(Exception exception) => exception switch
    {
        CollabException refusal => new HubException($"{refusal.Code}: {refusal.Message}"),
        RoomLogUnavailableException => new HubException($"{ErrorCodes.Unavailable}: the store cannot be read now; try again later"),
        _ => null,
    };

    [LoggerMessage(100, LogLevel.Error, "The hub method {Method} failed unexpectedly")]
    private static partial void Failed(ILogger logger, string method, Exception exception);
}
