using System.Text.Json;
using Collab.Protocol;
using Collab.Server.Nodes;
using Collab.Server.Rooms;

namespace Collab.Server.Events;

/// <summary>
/// Sees to it that one node of all delivers events. Whoever does it says so again and again in a log, where only one can have the next word; when he
/// is silent for a while another takes over.
/// </summary>
internal sealed class DispatcherLease(IRoomLog log, NodeBus bus, TimeProvider clock)
{
    private static readonly RoomKey Room = new(RoomKind.Events, "lease");
    private static readonly TimeSpan RenewInterval = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan AskInterval = TimeSpan.FromSeconds(1);
    // Who holds it stops before another may begin; clocks are not compared, only how long each has waited.
    private static readonly TimeSpan Held = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(12);
    private const int KeptEntries = 8;

    private Position _head;
    private long _said;

    /// <summary>Waits until it is this node's turn.</summary>
    public async Task AcquireAsync(CancellationToken cancellationToken)
    {
        Position? seen = null;
        var since = clock.GetTimestamp();
        while (true)
        {
            try
            {
                var page = await log.ReadBeforeAsync(Room, long.MaxValue, 1, 1024, cancellationToken);
                var head = new Position(page.Epoch, page.Head);
                if (head != seen)
                    (seen, since) = (head, clock.GetTimestamp());
                // Where there is one node only, whoever had it before is dead.
                var isFree = !bus.IsShared || page.Entries.Count == 0 || Decode(page.Entries[^1]).IsReleased || clock.GetElapsedTime(since) > Silence;
                if (isFree && await TrySayAsync(head, isReleased: false, cancellationToken))
                    return;
            }
            catch (RoomLogUnavailableException)
            {
                // It is asked again; what else needs the store says that it is away.
            }

            await Task.Delay(AskInterval, clock, cancellationToken);
        }
    }

    /// <summary>Keeps it. Returns when it is lost.</summary>
    public async Task HoldAsync(CancellationToken cancellationToken)
    {
        while (clock.GetElapsedTime(_said) < Held)
        {
            await Task.Delay(RenewInterval, clock, cancellationToken);
            try
            {
                if (!await TrySayAsync(_head, isReleased: false, cancellationToken))
                    return;
                if (_head.Offset % KeptEntries == 0)
                    await log.TrimAsync(Room, new LogRetention(KeptEntries, long.MaxValue, TimeSpan.MaxValue), cancellationToken);
            }
            catch (RoomLogUnavailableException)
            {
                // There is time to try again.
            }
        }
    }

    /// <summary>Lets another node have it at once.</summary>
    public async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        try
        {
            await TrySayAsync(_head, isReleased: true, cancellationToken);
        }
        catch (RoomLogUnavailableException)
        {
            // The others find out by the silence.
        }
    }

    private async Task<bool> TrySayAsync(Position after, bool isReleased, CancellationToken cancellationToken)
    {
        var word = JsonSerializer.SerializeToUtf8Bytes(new Word(bus.Id, isReleased));
        var began = clock.GetTimestamp();
        if (await log.AppendAsync([new RoomAppend(Room, [new NewLogEntry(word)], after)], cancellationToken) is not [{ } appended])
            return false;
        (_head, _said) = (appended.Last, began);
        return true;
    }

    private static Word Decode(LogEntry entry) => JsonSerializer.Deserialize<Word>(entry.Data.Span)!;

    private sealed record Word(string Node, bool IsReleased);
}
