using Collab.PostgresChanges.Messages;
using Collab.Protocol;
using Collab.Server.Channels;
using Collab.Server.Events;
using Collab.Server.Rooms;
using Microsoft.Extensions.Logging;

namespace Collab.PostgresChanges.Replication;

/// <summary>
/// Stores changes in the channels' logs, each batch in one commit with the progress that covers it, and tells the subscribers. The progress must
/// follow what this writer has stored last: a node that has lost its turn stores nothing any more.
/// </summary>
internal sealed class ChangeWriter(
    IRoomLog log, EventOutbox outbox, ChannelRooms channels, RoomKey room, IReadOnlyList<FollowedTable> tables, ChangesMetrics metrics, ILogger logger)
{
    private const int TrimAfter = 128;

    private static readonly LogRetention KeptProgress = new(MaxEntries: 8, long.MaxValue, TimeSpan.MaxValue);

    private int _sinceTrim;

    /// <summary>Where the progress that was stored last stands.</summary>
    public required Position Head { get; set; }

    /// <summary>Stores the progress, and the changes that it covers.</summary>
    /// <exception cref="TurnLostException">Somebody else has stored progress meanwhile; nothing was stored.</exception>
    public async Task WriteAsync(ChangeProgress progress, ChangeBatch? batch, CancellationToken cancellationToken)
    {
        var changes = batch?.Of(tables).ToArray() ?? [];
        RoomAppend[] appends =
        [
            new RoomAppend(room, [progress.ToEntry()], Head),
            .. changes.Select(change => new RoomAppend(change.Table.Room, change.Entries)),
        ];
        var appended = await outbox.AppendAsync(appends, cancellationToken) ?? throw new TurnLostException();
        Head = appended[0].Last;
        for (var i = 0; i < changes.Length; i++)
            await channels.SendOnAsync(changes[i].Table.Channel, appended[i + 1], changes[i].Entries);
        metrics.Stored(batch?.Count ?? 0);
        if (++_sinceTrim >= TrimAfter)
            await TrimAsync(cancellationToken);
    }

    private async Task TrimAsync(CancellationToken cancellationToken)
    {
        _sinceTrim = 0;
        try
        {
            await log.TrimAsync(room, KeptProgress, cancellationToken);
        }
        catch (RoomLogUnavailableException exception)
        {
            ChangesLog.TrimFailed(logger, exception);
        }
    }
}

/// <summary>Another node has taken over.</summary>
internal sealed class TurnLostException() : Exception("Another node has taken over.");
