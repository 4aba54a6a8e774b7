using System.Runtime.InteropServices;
using Collab.Crdt;
using Collab.Protocol;
using Collab.Server.Documents.Data;
using Collab.Server.Operations;
using Collab.Server.Rooms;

namespace Collab.Server.Documents;

// How a beat's updates are committed, sent on and acknowledged, in this order.
internal sealed partial class DocumentRoom
{
    private async Task CommitAsync(List<PendingPush> batch)
    {
        RefuseOutdated(batch);
        if (batch.Count == 0)
            return;
        try
        {
            var entries = new NewLogEntry[batch.Count];
            for (var i = 0; i < entries.Length; i++)
                entries[i] = batch[i].Entry;

            using var activity = CollabActivity.Commit(Key.Kind, entries.Length, batch.Select(push => push.Origin));
            var appended = await _outbox.AppendAsync(Key, entries, CancellationToken.None);
            _metrics.Committed(Key.Kind, entries.Length);
            var (head, after) = (appended.Last, appended.After);
            lock (_gate)
                _head = head;
            await SendOnAsync(batch, entries, head.Epoch, after);
            for (var i = 0; i < entries.Length && Events is { } events; i++)
                events.Changed(entries[i].Data, head with { Offset = after + i + 1 }, entries[i].Author);
            for (var i = 0; i < batch.Count; i++)
            {
                _metrics.Acknowledged(Key.Kind, batch[i].Since);
                batch[i].TrySetResult(head with { Offset = after + i + 1 });
            }

            Compaction.Appended(entries);
            foreach (var entry in entries)
                Versions.Changed(entry.Author, Environment.TickCount64);
        }
        catch (RoomLogUnavailableException exception)
        {
            DocumentLog.AppendFailed(_logger, Id, exception);
            Refuse(batch, exception);
        }
        catch (Exception exception)
        {
            DocumentLog.CommitFailed(_logger, Id, exception);
            Refuse(batch, exception);
        }
    }

    // What is to follow a certain position is refused if something else does, be it of the same batch.
    private void RefuseOutdated(List<PendingPush> batch)
    {
        for (var i = 0; i < batch.Count; i++)
        {
            if (batch[i].OnlyAfter is not { } position)
                continue;
            Position? head;
            lock (_gate)
                head = _head;
            if (i == 0 && head == position)
                continue;
            batch[i].TrySetException(DocumentConditions.Failed());
            batch.RemoveAt(i--);
        }
    }

    private void Refuse(List<PendingPush> batch, Exception cause)
    {
        _metrics.Refused(Key.Kind, batch.Count);
        foreach (var push in batch)
        {
            push.TrySetException(new CollabException(
                ErrorCodes.Unavailable, "the update could not be stored; try again later", cause));
        }
    }

    /// <summary>Sends the batch on, merged into few messages, each small enough to be written at one go.</summary>
    private async Task SendOnAsync(List<PendingPush> batch, NewLogEntry[] entries, string epoch, long after)
    {
        for (int first = 0, next; first < entries.Length; first = next)
        {
            var bytes = entries[first].Data.Length;
            for (next = first + 1; next < entries.Length && bytes + entries[next].Data.Length <= MaxMessageBytes; next++)
                bytes += entries[next].Data.Length;

            var soleWriter = SoleWriter(batch, first, next);
            // When there is nobody else to tell, the writer's cursor must still follow.
            var update = soleWriter is not null && _members.Count == 1 && !Peers.AreThere ? [] : Merge(entries.AsSpan(first..next));
            var frame = new DocumentFrame(epoch, after + first, after + next, update, soleWriter, entries.AsMemory(first..next));
            Peers.Tell(frame);
            await _feed.OfferAsync(frame);
        }
    }

    private static string? SoleWriter(List<PendingPush> batch, int first, int next)
    {
        var writer = batch[first].ConnectionId;
        for (var i = first + 1; i < next; i++)
        {
            if (batch[i].ConnectionId != writer)
                return null;
        }

        return writer;
    }

    private static byte[] Merge(ReadOnlySpan<NewLogEntry> entries)
    {
        if (entries.Length == 1)
            return MemoryMarshal.TryGetArray(entries[0].Data, out var whole) ? whole.Array! : entries[0].Data.ToArray();
        var updates = new ReadOnlyMemory<byte>[entries.Length];
        for (var i = 0; i < updates.Length; i++)
            updates[i] = entries[i].Data;
        return Updates.MergeV1(updates);
    }
}
