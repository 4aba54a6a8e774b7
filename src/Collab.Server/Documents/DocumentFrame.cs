using Collab.Crdt;
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

    /// <summary>Makes fewer frames of those that follow one another.</summary>
    /// <param name="frames">The frames.</param>
    /// <param name="maxBytes">The most that is merged into one, in bytes.</param>
    public static IEnumerable<DocumentFrame> Merge(IReadOnlyList<DocumentFrame> frames, int maxBytes)
    {
        for (int first = 0, next; first < frames.Count; first = next)
        {
            var frame = frames[first];
            var bytes = frame.Update.Length;
            // One without an update is only told to its writer, who is alone.
            for (next = first + 1; next < frames.Count && frame.IsFollowedBy(frames[next], frames[next - 1]); next++)
            {
                bytes += frames[next].Update.Length;
                if (bytes > maxBytes)
                    break;
            }

            yield return next == first + 1
                ? frame
                : new DocumentFrame(
                    frame.Epoch, frame.After, frames[next - 1].Through, Updates.MergeV1([.. frames.Take(first..next).Select(one => new ReadOnlyMemory<byte>(one.Update))]));
        }
    }

    private bool IsFollowedBy(DocumentFrame next, DocumentFrame last) =>
        Update.Length > 0 && next.Update.Length > 0 && next.Epoch == Epoch && next.After == last.Through;
}
