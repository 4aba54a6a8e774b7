namespace Collab.Server.Channels;

/// <summary>
/// The newest messages of a channel in memory, so that readers who are nearly up to date cost the store nothing. Guarded by its room.
/// </summary>
internal sealed class ChannelTail
{
    private const int MaxMessages = 1024;
    private const long MaxWeight = 1024 * 1024;

    // A ring: who is nearly up to date begins near its end, and must not walk there.
    private StoredMessage[] _ring = [];
    private int _first;
    private int _count;
    private long _weight;

    /// <summary>What it takes in memory, about, in bytes: each message as it is stored and as JSON.</summary>
    public long Bytes => 2 * _weight;

    /// <summary>The log's epoch; null while nothing is known of it.</summary>
    public string? Epoch { get; private set; }

    /// <summary>The offset of the last message.</summary>
    public long Head { get; private set; }

    /// <summary>The tail holds everything after this offset.</summary>
    public long Start => Head - _count;

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
            if (_count == MaxMessages)
                TakeFirst();
            Add(messages[i]);
            Head++;
        }

        while (_weight > MaxWeight && _count > 1)
            TakeFirst();
    }

    /// <summary>Forgets the messages, not where the log ends.</summary>
    public void Drop()
    {
        (_ring, _first, _count, _weight) = ([], 0, 0, 0);
    }

    /// <summary>The messages after an offset that is not before <see cref="Start"/>, at most so many.</summary>
    public List<StoredMessage> After(long offset, int limit, long maxWeight)
    {
        var found = new List<StoredMessage>((int)Math.Clamp(Head - offset, 0, limit));
        var weight = 0L;
        for (var i = (int)Math.Max(offset - Start, 0); i < _count; i++)
        {
            var message = _ring[(_first + i) % _ring.Length];
            if (found.Count == limit || (found.Count > 0 && weight + message.Weight > maxWeight))
                break;
            weight += message.Weight;
            found.Add(message);
        }

        return found;
    }

    private void Add(StoredMessage message)
    {
        if (_count == _ring.Length)
        {
            var larger = new StoredMessage[Math.Clamp(_count * 2, 16, MaxMessages)];
            for (var i = 0; i < _count; i++)
                larger[i] = _ring[(_first + i) % _ring.Length];
            (_ring, _first) = (larger, 0);
        }

        _ring[(_first + _count++) % _ring.Length] = message;
        _weight += message.Weight;
    }

    private void TakeFirst()
    {
        _weight -= _ring[_first].Weight;
        _ring[_first] = null!;
        _first = (_first + 1) % _ring.Length;
        _count--;
    }
}
