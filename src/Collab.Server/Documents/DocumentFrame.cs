using Collab.Server.Fanout;
using Collab.Server.Rooms;

namespace Collab.Server.Documents;

/// <summary>Updates of one document, merged, as the members are told of them.</summary>
/// <param name="Epoch">The epoch of the log.</param>
/// <param name="After">They bring a member from this offset…</param>
/// <param name="Through">… to this one.</param>
/// <param name="Update">The merged updates; empty when there is nobody to send them to.</param>
/// <param name="SoleWriter">The connection that wrote them all, if it is one.</param>
/// <param name="Entries">The updates one by one, of a frame that this node has committed.</param>
internal sealed record DocumentFrame(
    string Epoch, long After, long Through, byte[] Update, string? SoleWriter = null, ReadOnlyMemory<NewLogEntry> Entries = default)
    : IFeedFrame<DocumentFrame>
{
    // A document takes in again what it has already.
    public DocumentFrame Beyond(long offset) => this;
}
