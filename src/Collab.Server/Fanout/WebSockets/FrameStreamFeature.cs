using System.Net.Sockets;
using Microsoft.AspNetCore.Http.Features;

namespace Collab.Server.Fanout.WebSockets;

/// <summary>Upgrades a request to a WebSocket whose connection is kept within reach, as a <see cref="FrameStream"/>.</summary>
/// <param name="inner">The server's way to upgrade.</param>
/// <param name="cut">Asked once it is upgraded: what ends the connection because it takes nothing any more.</param>
/// <param name="patience">How long one write may take before that.</param>
/// <param name="socket">The socket to which frames may be written past the server.</param>
internal sealed class FrameStreamFeature(IHttpUpgradeFeature inner, Func<Action> cut, TimeSpan patience, Socket? socket = null) : IHttpUpgradeFeature
{
    public bool IsUpgradableRequest => inner.IsUpgradableRequest;

    /// <summary>Null until the request has been upgraded.</summary>
    public FrameStream? Stream { get; private set; }

    public async Task<Stream> UpgradeAsync() => Stream = new FrameStream(await inner.UpgradeAsync(), cut(), patience, socket);
}
