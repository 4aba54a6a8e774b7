using Microsoft.AspNetCore.Http;

namespace Collab.Server.Nodes;

/// <summary>Passes requests on to the node that can answer them.</summary>
public interface INodeForwarder
{
    /// <summary>
    /// Whether another node has passed this request on. When it proves that it is one, what it says of the caller's address and scheme holds.
    /// </summary>
    bool IsForwarded(HttpContext context);

    /// <summary>Passes a request on, also one that becomes a WebSocket, and its answer back.</summary>
    /// <param name="context">The request.</param>
    /// <param name="address">The other node's address.</param>
    /// <returns>False when the node cannot be reached and nothing was answered yet.</returns>
    Task<bool> ForwardAsync(HttpContext context, string address);
}
