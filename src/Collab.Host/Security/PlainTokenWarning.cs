using System.Net;

namespace Collab.Host.Security;

/// <summary>Tells the operator, once, that a token came over the network in clear, where everybody on the way can take it.</summary>
internal sealed class PlainTokenWarning(RequestDelegate next, TokenSources sources, ILogger<PlainTokenWarning> logger)
{
    private int _told;

    public Task InvokeAsync(HttpContext context)
    {
        if (Volatile.Read(ref _told) == 0 && IsInClear(context) && Interlocked.Exchange(ref _told, 1) == 0)
            HostLog.TokenInClear(logger);
        return next(context);
    }

    private bool IsInClear(HttpContext context) =>
        !context.Request.IsHttps
        && context.Connection.RemoteIpAddress is { } address
        && !IPAddress.IsLoopback(address)
        && sources.IsIn(context.Request);
}
