using System.Text;
using Collab.Load.Sockets;

namespace Collab.Load.Channels;

/// <summary>Where a reader reads: the server's port, the channel, and what counts his messages.</summary>
internal sealed record Feed(SocketLoop Loop, int Port, string Channel, Arrivals Arrivals);

/// <summary>One reader of a channel. Each transport derives how he gets the messages.</summary>
internal abstract class Reader(Feed feed)
{
    private int _cursor;

    /// <summary>He gets what is published from now on.</summary>
    public bool IsReady { get; protected set; }

    /// <summary>The last thing that went wrong.</summary>
    public string? Fault { get; protected set; }

    protected Feed Feed { get; } = feed;

    public abstract void Connect();

    /// <summary>Sends what a real client sends now and then so that the server knows it is there.</summary>
    public virtual void KeepAlive()
    {
    }

    public abstract void Disconnect();

    /// <summary>Connects them all, a hundred at a time so that no listen queue overflows.</summary>
    /// <exception cref="InvalidOperationException">Not all could.</exception>
    public static void ConnectAll(SocketLoop loop, IReadOnlyList<Reader> readers)
    {
        foreach (var batch in readers.Chunk(100))
        {
            foreach (var reader in batch)
                reader.Connect();
            if (loop.PollUntil(() => Array.TrueForAll(batch, static reader => reader.IsReady || reader.Fault is not null), TimeSpan.FromSeconds(30))
                && Array.TrueForAll(batch, static reader => reader.Fault is null))
                continue;
            throw new InvalidOperationException(
                $"readers could not subscribe: {batch.FirstOrDefault(static reader => reader.Fault is not null)?.Fault ?? "no answer"}");
        }
    }

    protected void Scan(ReadOnlySpan<byte> bytes) => Feed.Arrivals.Scan(bytes, ref _cursor);

    protected static string TextOf(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, 200)]);
}

/// <summary>A reader over a WebSocket.</summary>
internal abstract class WebSocketReader(Feed feed, string path) : Reader(feed), IWebSocketListener
{
    protected WebSocketConnection? Connection { get; private set; }

    public override void Connect() => Connection = new WebSocketConnection(Feed.Loop, Feed.Port, path, this);

    public override void Disconnect() => Connection?.Dispose();

    public abstract void Opened();

    public abstract void Received(ReadOnlySpan<byte> message);

    public void Closed(string reason) => Fault = reason;
}

/// <summary>A reader over plain HTTP on one kept connection.</summary>
internal abstract class HttpReader(Feed feed) : Reader(feed), IHttpListener
{
    protected HttpConnection? Connection { get; private set; }

    public override void Connect()
    {
        Connection = new HttpConnection(Feed.Loop, Feed.Port, this);
        Begin();
    }

    public override void Disconnect() => Connection?.Dispose();

    public int Received(int status, ReadOnlySpan<byte> body, bool isLast)
    {
        if (status == 200)
            return Received(body, isLast);
        Fault = $"{status} {TextOf(body)}";
        Connection!.Dispose();
        return body.Length;
    }

    public void Closed(string reason) => Fault = reason;

    protected abstract void Begin();

    protected abstract int Received(ReadOnlySpan<byte> body, bool isLast);
}
