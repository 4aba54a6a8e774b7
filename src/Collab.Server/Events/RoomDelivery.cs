namespace Collab.Server.Events;

/// <summary>The events of one room that wait for one sink.</summary>
internal sealed class RoomDelivery(string subject, OutboxShard shard)
{
    /// <summary>See <see cref="EventNote.Subject"/>.</summary>
    public string Subject { get; } = subject;

    public OutboxShard Shard { get; } = shard;

    /// <summary>What was read and waits, in order.</summary>
    public Queue<StoredNote> Notes { get; } = new();

    /// <summary>What follows it and is still gathered: more may be told together with it. Null when nothing is.</summary>
    public StoredNote? Gathered { get; private set; }

    /// <summary>The events made of the first notes, without those that were delivered; and whether each is its note's last.</summary>
    public Queue<(OutgoingEvent Event, bool IsLast)> Events { get; } = new();

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
    public DateTimeOffset GatheredSince { get; private set; }

    public bool IsEmpty => Notes.Count == 0 && Gathered is null && From is null;

    /// <summary>When it is behind: the offset of the first note that was not delivered.</summary>
    public long? FirstWaiting => From is null ? null : Notes.TryPeek(out var note) ? note.First : From;

    /// <summary>Takes in what was read.</summary>
    /// <param name="note">The note.</param>
    /// <param name="gathers">Whether it is told together with others, where it can be.</param>
    /// <param name="now">The time.</param>
    public void Add(StoredNote note, bool gathers, DateTimeOffset now)
    {
        if (gathers && Gathered?.With(note) is { } both)
        {
            Gathered = both;
            return;
        }

        EndGathering();
        // Until the first of those that are told as one is done with, none is.
        Shard.Take(note.First);
        if (gathers && note.Note.IsChatty)
            (Gathered, GatheredSince) = (note, now);
        else
            Notes.Enqueue(note);
    }

    /// <summary>What was gathered is told as it is.</summary>
    public void EndGathering()
    {
        if (Gathered is not { } gathered)
            return;
        Notes.Enqueue(gathered);
        Gathered = null;
    }

    /// <summary>Forgets what is in memory; it is looked up again when it is its turn.</summary>
    public void FallBehind()
    {
        EndGathering();
        From = FirstWaiting ?? Notes.Peek().First;
        foreach (var note in Notes)
            Shard.Close(note.First);
        Notes.Clear();
        Events.Clear();
    }

    /// <summary>The first events are done with, delivered or not.</summary>
    public void Pass(int count)
    {
        Attempts = 0;
        while (count-- > 0)
        {
            if (Events.Dequeue().IsLast)
                Shard.Close(Notes.Dequeue().First);
        }
    }
}
