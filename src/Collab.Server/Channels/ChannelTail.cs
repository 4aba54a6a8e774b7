namespace Collab.Server.Channels;

/// <summary>
/// The newest messages of a channel in memory, so that readers who are nearly up to date cost the store nothing. Guarded by its room.
/// </summary>
internal sealed class ChannelTail
{
    private const int MaxMessages = 1024;
    private const long MaxWeight = 1024 * 1024;

    private readonly Queue<StoredMessage> _messages = new();
    private long _weight;

    /// <summary>What it takes in memory, about, in bytes: each message as it is stored and as JSON.</summary>
    public long Bytes => 2 * _weight;

    /// <summary>The log's epoch; null while nothing is known of it.</summary>
    public string? Epoch { get; private set; }

    /// <summary>The offset of the last message.</summary>
    public long Head { get; private set; }

    /// <summary>The tail holds everything after this offset.</summary>
    public long Start => Head - _messages.Count;

    /// <summary>Adds what was committed after <paramref name="after"/>.</summary>
    public void Append(string epoch, long after, IReadOnlyList<StoredMessage> messages)
    {
        if (Epoch != epoch || Head != after)
        {
            // Somebody else has written to the log meanwhile.
            Drop();
            Epoch = epoch;
            Head = after;
        }

        for (var i = 0; i < messages.Count; i++)
        {
            _messages.Enqueue(messages[i]);
            _weight += messages[i].Weight;
            Head++;
        }

        while (_messages.Count > MaxMessages || (_weight > MaxWeight && _messages.Count > 1))
            _weight -= _messages.Dequeue().Weight;
    }

    /// <summary>Forgets the messages, not where the log ends.</summary>
    public void Drop()
    {
        _messages.Clear();
        _weight = 0;
    }

    /// <summary>The messages after an offset that is not before <see cref="Start"/>, at most so many.</summary>
    public List<StoredMessage> After(long offset, int limit, long maxWeight)
    {
        var found = new List<StoredMessage>((int)Math.Clamp(Head - offset, 0, limit));
        var skip = offset - Start;
        var weight = 0L;
        foreach (var message in _messages)
        {
            if (skip-- > 0)
                continue;
            if (found.Count == limit || (found.Count > 0 && weight + message.Weight > maxWeight))
                break;
            weight += message.Weight;
            found.Add(message);
        }

        return found;
    }
}
