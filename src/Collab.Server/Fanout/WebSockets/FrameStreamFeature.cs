using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Collab.Server.Fanout.WebSockets;

/// <summary>Upgrades a request to a WebSocket whose connection is kept within reach, as a <see cref="FrameStream"/>.</summary>
internal sealed class FrameStreamFeature(HttpContext context, IHttpUpgradeFeature inner, TimeSpan patience) : IHttpUpgradeFeature
{
    public bool IsUpgradableRequest => inner.IsUpgradableRequest;

    /// <summary>Null until the request has been upgraded.</summary>
    public FrameStream? Stream { get; private set; }

    public async Task<Stream> UpgradeAsync() => Stream = new FrameStream(await inner.UpgradeAsync(), context.Abort, patience);
}
