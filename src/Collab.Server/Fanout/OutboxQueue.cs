using Microsoft.AspNetCore.SignalR;

namespace Collab.Server.Fanout;

/// <summary>What waits to be written to one connection, in order. Guarded by its outbox' lock.</summary>
internal sealed class OutboxQueue(FanoutOptions options)
{
    private readonly Queue<QueuedMessage> _messages = new();
    private long _bytes;

    public int Count => _messages.Count;

    /// <summary>What it holds, in bytes.</summary>
    public long Bytes => _bytes;

    /// <summary>Whether it holds more bytes than one connection may keep.</summary>
    public bool IsTooLarge => _bytes > options.OutboxBytes;

    /// <summary>Whether it holds too many bytes, or something for too long, as of the last message.</summary>
    public bool IsOverfull { get; private set; }

    public void Enqueue(QueuedMessage message)
    {
        _messages.Enqueue(message);
        _bytes += message.Bytes;
        IsOverfull = IsTooLarge || message.QueuedAt - _messages.Peek().QueuedAt > options.OutboxMilliseconds;
    }

    public bool TryDequeue(out QueuedMessage message)
    {
        if (!_messages.TryDequeue(out message))
            return false;
        _bytes -= message.Bytes;
        return true;
    }

    /// <summary>Drops those messages of which <paramref name="drop"/> says so; the others stay, in order.</summary>
    /// <returns>The bytes that were dropped.</returns>
    public long DropWhere(Func<QueuedMessage, bool> drop)
    {
        var before = _bytes;
        for (var left = _messages.Count; left > 0; left--)
        {
            TryDequeue(out var message);
            if (!drop(message))
            {
                _messages.Enqueue(message);
                _bytes += message.Bytes;
            }
        }

        return before - _bytes;
    }

    public void Clear()
    {
        _messages.Clear();
        _bytes = 0;
    }
}

/// <summary>A message that waits.</summary>
/// <param name="Message">The message.</param>
/// <param name="Membership">The room that it belongs to and can be read from again; null when it cannot.</param>
/// <param name="After">The member's cursor before it.</param>
/// <param name="Bytes">Its size as it will be written.</param>
/// <param name="QueuedAt">When it came, in milliseconds of <see cref="Environment.TickCount64"/>.</param>
internal readonly record struct QueuedMessage(
    SerializedHubMessage Message, Membership? Membership, long After, int Bytes, long QueuedAt);
