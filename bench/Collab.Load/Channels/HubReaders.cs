using System.Text;
using Collab.Load.Protocols;

namespace Collab.Load.Channels;

/// <summary>What a SignalR client says who subscribes to a channel and reads what comes, in JSON or in MessagePack.</summary>
internal static class HubWords
{
    public static ReadOnlySpan<byte> JsonPing => "{\"type\":6}\u001e"u8;

    public static ReadOnlySpan<byte> MessagePackPing => [2, 0x91, 6];

    /// <summary>The handshake and the call to subscribe.</summary>
    public static byte[] SubscribeInJson(string channel) => Encoding.UTF8.GetBytes(
        "{\"protocol\":\"json\",\"version\":1}\u001e"
        + $"{{\"type\":1,\"invocationId\":\"sub\",\"target\":\"Subscribe\",\"arguments\":[\"{channel}\"]}}\u001e");

    public static byte[] SubscribeInMessagePack(string channel)
    {
        var message = new ByteWriter();
        message.Byte(0x95).Byte(1).Byte(0x80);
        foreach (var text in (string[])["sub", "Subscribe"])
            message.Byte(0xa0 | text.Length).Bytes(Encoding.ASCII.GetBytes(text));
        message.Byte(0x91).Byte(0xa0 | channel.Length).Bytes(Encoding.ASCII.GetBytes(channel));
        return [.. "{\"protocol\":\"messagepack\",\"version\":1}\u001e"u8, .. new ByteWriter().VarBytes(message.Written).Written];
    }

    /// <summary>Whether the answer to the call is in it.</summary>
    /// <param name="message">What was received.</param>
    /// <param name="fault">What it says when the call was refused.</param>
    public static bool IsSubscribed(ReadOnlySpan<byte> message, ref string? fault)
    {
        // A completion in MessagePack has no headers, the call's id, and 1 for an error.
        ReadOnlySpan<byte> id = [0x80, 0xa3, (byte)'s', (byte)'u', (byte)'b'];
        var at = message.IndexOf(id);
        if (message.IndexOf("\"error\":"u8) >= 0 || (at >= 0 && message[at + id.Length] == 1))
            fault = Encoding.UTF8.GetString(message);
        return at >= 0 || message.IndexOf("\"invocationId\":\"sub\""u8) >= 0;
    }
}

/// <summary>A SignalR client over a WebSocket, without negotiation.</summary>
internal sealed class HubReader(Feed feed, string path, bool isMessagePack) : WebSocketReader(feed, path)
{
    public override void Opened() =>
        Connection!.Send(isMessagePack ? HubWords.SubscribeInMessagePack(Feed.Channel) : HubWords.SubscribeInJson(Feed.Channel));

    public override void KeepAlive() => Connection!.Send(isMessagePack ? HubWords.MessagePackPing : HubWords.JsonPing);

    public override void Received(ReadOnlySpan<byte> message)
    {
        if (!IsReady)
        {
            var fault = Fault;
            IsReady = HubWords.IsSubscribed(message, ref fault);
            Fault = fault;
        }

        Scan(message);
    }
}

/// <summary>A SignalR client over long polls, in JSON: negotiates, says hello, and polls.</summary>
internal sealed class HubPollReader(Feed feed, string path) : HttpReader(feed)
{
    private string _target = "";
    private Step _step;

    private enum Step
    {
        Negotiating,
        FirstPoll,
        Subscribing,
        Polling,
    }

    protected override void Begin() => Connection!.Post(path + "/negotiate?negotiateVersion=1", []);

    protected override int Received(ReadOnlySpan<byte> body, bool isLast)
    {
        if (!isLast)
            return 0;
        switch (_step)
        {
            case Step.Negotiating:
                var token = body[(body.IndexOf("\"connectionToken\":\""u8) + "\"connectionToken\":\"".Length)..];
                _target = $"{path}?id={Encoding.ASCII.GetString(token[..token.IndexOf((byte)'"')])}";
                break;
            case Step.FirstPoll:
                // It says only that the connection is there. What is sent goes between two polls, as there is one socket.
                Connection!.Post(_target, HubWords.SubscribeInJson(Feed.Channel));
                _step++;
                return body.Length;
            case Step.Polling:
                if (!IsReady)
                {
                    var fault = Fault;
                    IsReady = HubWords.IsSubscribed(body, ref fault);
                    Fault = fault;
                }

                Scan(body);
                Connection!.Get(_target);
                return body.Length;
        }

        _step++;
        Connection!.Get(_target);
        return body.Length;
    }
}
