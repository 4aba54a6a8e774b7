using Collab.Crdt;
using Collab.Protocol;
using Collab.Server.Documents.Handlers;
using Collab.Server.Rooms;

namespace Collab.Server.Documents;

/// <summary>A document as the log has it, for those who are not in it.</summary>
public static class StoredDocument
{
    private const int PageEntries = 4096;
    private const long PageBytes = 16 * 1024 * 1024;

    /// <summary>Reads a document from its log.</summary>
    /// <param name="log">The log.</param>
    /// <param name="documentId">The document.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Null when there is no such document.</returns>
    /// <exception cref="RoomLogUnavailableException">It cannot be read now, or is damaged.</exception>
    public static async ValueTask<DocumentSnapshot?> ReadDocumentAsync(this IRoomLog log, string documentId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(log);
        var read = await ReadAsync(log, new RoomKey(RoomKind.Document, documentId), cancellationToken);
        return read.Offset == 0 ? null : new(read.Update, new Position(read.Epoch, read.Offset).ToString());
    }

    internal static async Task<Whole> ReadAsync(IRoomLog log, RoomKey room, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (entries, bytes) = (0, 0L);
            var offset = 0L;
            string? epoch = null;
            var updates = new List<ReadOnlyMemory<byte>>();
            while (true)
            {
                var page = await log.ReadAsync(room, offset, PageEntries, PageBytes, cancellationToken);
                if (epoch is not null && page.Epoch != epoch)
                    break; // Deleted while it was read: start anew.
                epoch = page.Epoch;
                if (page.Snapshot is { } snapshot)
                {
                    // The first page begins with it; a later one only if the log was compacted meanwhile. It says all that went before.
                    updates.Clear();
                    updates.Add(snapshot.Data);
                    (entries, bytes) = (0, 0);
                }

                foreach (var entry in page.Entries)
                {
                    updates.Add(entry.Data);
                    entries++;
                    bytes += entry.Data.Length;
                }

                offset = page.ReachedFrom(offset);
                if (offset >= page.Head)
                    return new(epoch, offset, Merge(updates), entries, bytes);
            }
        }
    }

    private static byte[] Merge(List<ReadOnlyMemory<byte>> updates)
    {
        try
        {
            return updates.Count == 0 ? Updates.EmptyV1.ToArray() : Updates.MergeV1(updates);
        }
        catch (InvalidUpdateException exception)
        {
            throw new RoomLogUnavailableException("The stored document is damaged.", exception);
        }
    }

    /// <summary>All of a document, and how many updates, of how many bytes, follow its last snapshot.</summary>
    internal readonly record struct Whole(string Epoch, long Offset, byte[] Update, int Entries, long EntryBytes);
}
