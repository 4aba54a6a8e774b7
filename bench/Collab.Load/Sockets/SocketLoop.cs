using System.Diagnostics;

namespace Collab.Load.Sockets;

/// <summary>
/// One epoll loop on the calling thread. All reading, decoding, counting and writing happens inside <see cref="Poll"/>, so nothing
/// is shared, nothing is locked and no thread is ever woken.
/// </summary>
internal sealed class SocketLoop
{
    private readonly int _epoll = Epoll.Create();
    private readonly Dictionary<int, LoopConnection> _connections = [];
    private readonly List<LoopConnection> _unflushed = [];
    private readonly (int Socket, uint Events)[] _ready = new (int, uint)[512];

    /// <summary>The loop's clock, in nanoseconds since an arbitrary moment.</summary>
    public static long Now => (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));

    public void Add(LoopConnection connection)
    {
        _connections.Add(connection.Descriptor, connection);
        Epoll.Add(_epoll, connection.Descriptor, Epoll.In);
    }

    public void Remove(LoopConnection connection)
    {
        if (_connections.Remove(connection.Descriptor))
            Epoll.Remove(_epoll, connection.Descriptor);
    }

    /// <summary>Asks to write, at the next <see cref="Poll"/>, what the connection has gathered.</summary>
    public void FlushLater(LoopConnection connection) => _unflushed.Add(connection);

    /// <summary>Asks to be told, or no longer, when the kernel takes bytes of this connection again.</summary>
    public void AwaitWritable(LoopConnection connection, bool wanted) =>
        Epoll.Modify(_epoll, connection.Descriptor, wanted ? Epoll.In | Epoll.Out : Epoll.In);

    /// <summary>Writes what was gathered, waits for at most <paramref name="nanoseconds"/>, and handles whatever is ready.</summary>
    public void Poll(long nanoseconds)
    {
        Flush();
        var count = Epoll.Wait(_epoll, _ready, Math.Max(0, nanoseconds));
        for (var i = 0; i < count; i++)
        {
            var (socket, events) = _ready[i];
            if (!_connections.TryGetValue(socket, out var connection))
                continue;
            if ((events & Epoll.Out) != 0)
                connection.Flush();
            if ((events & (Epoll.In | Epoll.Failed)) != 0)
                connection.Receive();
        }

        Flush();
    }

    /// <summary>Polls until the condition holds.</summary>
    /// <returns>Whether it came to hold within the time.</returns>
    public bool PollUntil(Func<bool> condition, TimeSpan limit)
    {
        var end = Now + (long)limit.TotalNanoseconds;
        while (!condition())
        {
            if (Now > end)
                return false;
            Poll(5_000_000);
        }

        return true;
    }

    /// <summary>Goes on reading and answering for a while.</summary>
    public void PollFor(TimeSpan time) => PollUntil(static () => false, time);

    private void Flush()
    {
        foreach (var connection in _unflushed)
            connection.Flush();
        _unflushed.Clear();
    }
}
