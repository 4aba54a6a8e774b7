using System.Buffers.Text;
using System.Text;
using Collab.Load.Sockets;

namespace Collab.Load.Channels;

/// <summary>One who publishes over a WebSocket, in JSON, and is told when a message is taken. He does not read the channel.</summary>
internal abstract class Publisher(Feed feed, string path, Action<int> acknowledged) : WebSocketReader(feed, path)
{
    public abstract void Publish(int number);

    /// <summary>Finds the number of the message that was taken.</summary>
    protected void Acknowledged(ReadOnlySpan<byte> number)
    {
        if (Utf8Parser.TryParse(number, out int taken, out _))
            acknowledged(taken);
    }

    protected static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}

/// <summary>Calls a hub's <c>Publish</c>.</summary>
internal sealed class HubPublisher(Feed feed, string path, Action<int> acknowledged) : Publisher(feed, path, acknowledged)
{
    public override void Opened() => Connection!.SendText("{\"protocol\":\"json\",\"version\":1}\u001e"u8);

    public override void KeepAlive() => Connection!.SendText(HubWords.JsonPing);

    public override void Publish(int number) => Connection!.SendText(Bytes(
        $"{{\"type\":1,\"invocationId\":\"{number}\",\"target\":\"Publish\",\"arguments\":[\"{Feed.Channel}\",\"said\",{{\"value\":\"{Arrivals.TextOf(number)}\"}}]}}\u001e"));

    public override void Received(ReadOnlySpan<byte> message)
    {
        IsReady = true; // the answer to the handshake
        if (message.IndexOf("\"error\":"u8) >= 0)
            Fault = TextOf(message);
        for (var id = "\"invocationId\":\""u8; message.IndexOf(id) is var at and >= 0;)
        {
            message = message[(at + id.Length)..];
            Acknowledged(message);
        }
    }
}

/// <summary>Emits <c>publish</c> with an acknowledgement.</summary>
internal sealed class SocketIoPublisher(Feed feed, Action<int> acknowledged)
    : Publisher(feed, SocketIoWords.Path + "websocket", acknowledged)
{
    public override void Opened()
    {
    }

    public override void Publish(int number) => Connection!.SendText(Bytes(
        $"42{number}[\"publish\",\"{Feed.Channel}\",\"said\",{{\"value\":\"{Arrivals.TextOf(number)}\"}}]"));

    public override void Received(ReadOnlySpan<byte> message)
    {
        if (message[0] == SocketIoWords.Open)
            Connection!.SendText("40"u8);
        else if (message[0] == SocketIoWords.Ping)
            Connection!.SendText([(byte)SocketIoWords.Pong]);
        else if (message.StartsWith(SocketIoWords.Acknowledgement))
            Acknowledged(message[2..]);
        IsReady |= message.StartsWith(SocketIoWords.Connected);
    }
}
