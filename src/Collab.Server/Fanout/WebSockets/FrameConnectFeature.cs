using Microsoft.AspNetCore.Http.Features;

namespace Collab.Server.Fanout.WebSockets;

/// <summary>The same as <see cref="FrameStreamFeature"/> over HTTP/2 (RFC 8441), where a WebSocket is a request of its own kind.</summary>
/// <param name="inner">The server's way to accept it.</param>
/// <param name="cut">Ends the connection because it takes nothing any more.</param>
/// <param name="patience">How long one write may take before that.</param>
internal sealed class FrameConnectFeature(IHttpExtendedConnectFeature inner, Action cut, TimeSpan patience) : IHttpExtendedConnectFeature
{
    public bool IsExtendedConnect => inner.IsExtendedConnect;

    public string? Protocol => inner.Protocol;

    /// <summary>Null until the request has been accepted.</summary>
    public FrameStream? Stream { get; private set; }

    public async ValueTask<Stream> AcceptAsync() => Stream = new FrameStream(await inner.AcceptAsync(), cut, patience);
}
