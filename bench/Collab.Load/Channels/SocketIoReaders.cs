using System.Text;

namespace Collab.Load.Channels;

/// <summary>What a socket.io 4 client says (engine.io protocol 4, socket.io protocol 5), in text.</summary>
internal static class SocketIoWords
{
    public const char Open = '0';
    public const char Ping = '2';
    public const char Pong = '3';

    public const string Path = "/socket.io/?EIO=4&transport=";

    public static ReadOnlySpan<byte> Connected => "40"u8;

    public static ReadOnlySpan<byte> Refused => "44"u8;

    public static ReadOnlySpan<byte> Acknowledgement => "43"u8;

    /// <summary>Connects to the namespace and names the channel, whose room the server lets it join.</summary>
    public static byte[] Connect(string channel) => Encoding.UTF8.GetBytes($"40{{\"channel\":\"{channel}\"}}");
}

/// <summary>A socket.io client over a WebSocket.</summary>
internal sealed class SocketIoReader(Feed feed) : WebSocketReader(feed, SocketIoWords.Path + "websocket")
{
    public override void Opened()
    {
    }

    public override void Received(ReadOnlySpan<byte> message)
    {
        switch ((char)message[0])
        {
            case SocketIoWords.Open:
                Connection!.SendText(SocketIoWords.Connect(Feed.Channel));
                break;
            case SocketIoWords.Ping:
                Connection!.SendText([(byte)SocketIoWords.Pong]);
                break;
            default:
                if (message.StartsWith(SocketIoWords.Refused))
                    Fault = TextOf(message);
                IsReady |= message.StartsWith(SocketIoWords.Connected);
                Scan(message);
                break;
        }
    }
}

/// <summary>A socket.io client over polling: what it sends goes between two polls, as it has one socket.</summary>
internal sealed class SocketIoPollReader(Feed feed) : HttpReader(feed)
{
    private const byte Separator = 0x1e;

    private string _target = SocketIoWords.Path + "polling";

    protected override void Begin() => Connection!.Get(_target);

    protected override int Received(ReadOnlySpan<byte> body, bool isLast)
    {
        if (!isLast)
            return 0;
        if (body.StartsWith("0{"u8))
        {
            var id = body[(body.IndexOf("\"sid\":\""u8) + "\"sid\":\"".Length)..];
            _target += "&sid=" + Encoding.ASCII.GetString(id[..id.IndexOf((byte)'"')]);
            Connection!.Post(_target, SocketIoWords.Connect(Feed.Channel));
            return body.Length;
        }

        if (body.StartsWith(SocketIoWords.Refused))
            Fault = TextOf(body);
        IsReady |= body.StartsWith(SocketIoWords.Connected);
        Scan(body);
        if (HasPing(body))
            Connection!.Post(_target, [(byte)SocketIoWords.Pong]);
        else
            Connection!.Get(_target);
        return body.Length;
    }

    private static bool HasPing(ReadOnlySpan<byte> body)
    {
        for (; !body.IsEmpty; body = body.IndexOf(Separator) is var end and >= 0 ? body[(end + 1)..] : [])
        {
            if (body[0] == SocketIoWords.Ping && (body.Length == 1 || body[1] == Separator))
                return true;
        }

        return false;
    }
}
