using Collab.Server.Rooms;

namespace Collab.Server.Events;

/// <summary>How far a sink is in one of the outbox's logs.</summary>
internal sealed class OutboxShard(int number, long done)
{
    // What was read and is not delivered, but for what rooms that are behind wait for.
    private readonly SortedSet<long> _open = [];

    public int Number { get; } = number;

    public RoomKey Key { get; } = EventOutbox.KeyOf(number);

    /// <summary>The offset up to which it was read.</summary>
    public long Read { get; private set; } = done;

    /// <summary>The offset up to which all is delivered, or waits for a room that is behind.</summary>
    public long Done => _open.Count == 0 ? Read : _open.Min - 1;

    public int Open => _open.Count;

    public void Take(long offset) => _open.Add(offset);

    public void ReadThrough(long offset) => Read = offset;

    public void Close(long offset) => _open.Remove(offset);
}

/// <summary>A note as it is kept in the outbox.</summary>
/// <param name="Shard">In which of its logs.</param>
/// <param name="Epoch">The log's epoch.</param>
/// <param name="First">Where in it; of several that are told as one, the first.</param>
/// <param name="Offset">The last of them.</param>
/// <param name="At">When it was written.</param>
/// <param name="Note">What it says.</param>
internal sealed record StoredNote(OutboxShard Shard, string Epoch, long First, long Offset, DateTimeOffset At, EventNote Note)
{
    /// <summary>The id of the event. It does not depend on when or how often it is sent.</summary>
    public string EventId => $"{Epoch}-{Shard.Number}-{Offset}";

    /// <summary>This and the next one, told as one; null when they cannot be.</summary>
    public StoredNote? With(StoredNote next) => Note.With(next.Note) is { } both ? next with { First = First, Note = both } : null;
}
