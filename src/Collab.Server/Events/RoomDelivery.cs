namespace Collab.Server.Events;

/// <summary>The events of one room that wait for one sink.</summary>
internal sealed class RoomDelivery(string subject, OutboxShard shard)
{
    /// <summary>See <see cref="EventNote.Subject"/>.</summary>
    public string Subject { get; } = subject;

    public OutboxShard Shard { get; } = shard;

    /// <summary>What was read and waits, in order.</summary>
    public Queue<StoredNote> Notes { get; } = new();

    /// <summary>The events made of the first notes, without those that were delivered; and how many notes each is the last event of.</summary>
    public Queue<(OutgoingEvent Event, int Notes)> Events { get; } = new();

    /// <summary>When it is behind: from where on its notes are looked up in the outbox. Null when they come as they are read.</summary>
    public long? From { get; set; }

    /// <summary>How often its first event was tried.</summary>
    public int Attempts { get; set; }

    public bool IsSending { get; set; }

    /// <summary>When it is its turn.</summary>
    public DateTimeOffset Due { get; set; }

    /// <summary>The time for which it stands in the queue of those who wait.</summary>
    public DateTimeOffset? QueuedFor { get; set; }

    /// <summary>When the oldest of what is gathered was read.</summary>
    public DateTimeOffset GatheredSince { get; set; }

    public bool IsEmpty => Notes.Count == 0 && From is null;

    /// <summary>When it is behind: the offset of the first note that was not delivered.</summary>
    public long? FirstWaiting => From is null ? null : Notes.TryPeek(out var note) ? note.Offset : From;

    /// <summary>Forgets what is in memory; it is looked up again when it is its turn.</summary>
    public void FallBehind()
    {
        From = FirstWaiting ?? Notes.Peek().Offset;
        foreach (var note in Notes)
            Shard.Close(note.Offset);
        Notes.Clear();
        Events.Clear();
    }

    /// <summary>The first events are done with, delivered or not.</summary>
    public void Pass(int count)
    {
        Attempts = 0;
        while (count-- > 0)
        {
            for (var (_, notes) = Events.Dequeue(); notes > 0; notes--)
                Shard.Close(Notes.Dequeue().Offset);
        }
    }
}
