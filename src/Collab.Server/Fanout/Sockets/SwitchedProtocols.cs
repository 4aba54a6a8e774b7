using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Collab.Server.Fanout.Sockets;

/// <summary>The answer to a request that was upgraded: it has been sent, and nothing can be added (RFC 9110, 15.2.2).</summary>
internal sealed class SwitchedProtocols : IHttpResponseFeature
{
    public static readonly SwitchedProtocols Response = new();

    public static readonly IHttpResponseBodyFeature ResponseBody = new StreamResponseBodyFeature(Stream.Null);

    private SwitchedProtocols()
    {
    }

    public int StatusCode
    {
        get => StatusCodes.Status101SwitchingProtocols;
        set => throw Sent();
    }

    public string? ReasonPhrase
    {
        get => null;
        set => throw Sent();
    }

    public IHeaderDictionary Headers
    {
        get => new HeaderDictionary { IsReadOnly = true };
        set => throw Sent();
    }

    [Obsolete("The interface's own: use IHttpResponseBodyFeature.")]
    public Stream Body
    {
        get => Stream.Null;
        set => throw Sent();
    }

    public bool HasStarted => true;

    public void OnStarting(Func<object, Task> callback, object state) => throw Sent();

    // Nobody would call it.
    public void OnCompleted(Func<object, Task> callback, object state)
    {
    }

    private static InvalidOperationException Sent() => new("The response has been sent: the request was upgraded.");
}
