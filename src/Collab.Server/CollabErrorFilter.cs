using Microsoft.AspNetCore.SignalR;

namespace Collab.Server;

/// <summary>Gives hub callers the stable code of a <see cref="CollabException"/>, first in the message of the error.</summary>
internal sealed class CollabErrorFilter : IHubFilter
{
    public async ValueTask<object?> InvokeMethodAsync(
        HubInvocationContext invocationContext, Func<HubInvocationContext, ValueTask<object?>> next)
    {
        try
        {
            return await next(invocationContext);
        }
        catch (CollabException exception)
        {
            throw new HubException($"{exception.Code}: {exception.Message}");
        }
    }
}
