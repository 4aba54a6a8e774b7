using System.Text;

namespace Collab.Load.Channels;

/// <summary>A browser's EventSource.</summary>
internal sealed class EventSourceReader(Feed feed) : HttpReader(feed)
{
    protected override void Begin() => Connection!.Get($"/channels/{Feed.Channel}/events", "Accept: text/event-stream\r\n");

    protected override int Received(ReadOnlySpan<byte> body, bool isLast)
    {
        IsReady = true;
        if (isLast)
            Fault = "the stream has ended";
        // A chunk may end in the midst of an event.
        var events = body[..(body.LastIndexOf("\n\n"u8) is var end and >= 0 ? end + 2 : 0)];
        Scan(events);
        return events.Length;
    }
}

/// <summary>Collab's own long polls: each asks for what follows the position that the one before gave.</summary>
internal sealed class LongPollReader(Feed feed, int wait = 25) : HttpReader(feed)
{
    private readonly string _path = $"/channels/{feed.Channel}/messages?wait=";

    protected override void Begin() => Connection!.Get(_path + "0&limit=1");

    protected override int Received(ReadOnlySpan<byte> body, bool isLast)
    {
        if (!isLast)
            return 0;
        // Whoever comes first begins at the end: what was there before is not his.
        if (IsReady)
            Scan(body);
        var rest = body[(body.LastIndexOf("\"position\":\""u8) + "\"position\":\"".Length)..];
        if (rest.IndexOf("\"recovered\":true"u8) < 0)
            Fault = "messages are lost: " + TextOf(rest);
        IsReady = true;
        Connection!.Get($"{_path}{wait}&limit=1000&after={Encoding.ASCII.GetString(rest[..rest.IndexOf((byte)'"')])}");
        return body.Length;
    }
}
