using System.Buffers.Binary;
using System.Text;
using Collab.Crdt.Tests.Documents;

namespace Collab.Host.Tests.Security.Fuzzing;

/// <summary>Breaks frames of an open WebSocket (RFC 6455), and requests that would open one.</summary>
internal sealed class BrokenWebSockets(Random random)
{
    private const byte Text = 1, Binary = 2, Close = 8, Ping = 9;

    private static readonly byte[] Handshake = [.. """{"protocol":"json","version":1}"""u8, HubMessage.EndOfJson];
    private static readonly string[] OddKeys = ["", "short", "AAAAAAAAAAAAAAAAAAAAAAA=", "not base64 at all !!!!!!", new('A', 5_000)];
    private static readonly string[] OddVersions = ["", "8", "999", "-1", "13, 8", "13\r\nSec-WebSocket-Version: 8"];
    private static readonly string[] OddExtensions =
    [
        "permessage-deflate; client_max_window_bits=99", "permessage-deflate; ; ;", "x-unknown, permessage-deflate; server_max_window_bits=0",
        "permessage-deflate; client_no_context_takeover=1; client_no_context_takeover", new(',', 3_000),
    ];

    /// <summary>A frame of a client, as it should be.</summary>
    public static byte[] Frame(byte opcode, ReadOnlySpan<byte> payload, bool final = true, byte reserved = 0, bool masked = true)
    {
        var frame = new List<byte> { (byte)((final ? 0x80 : 0) | reserved << 4 | opcode) };
        var mask = masked ? 0x80 : 0;
        if (payload.Length < 126)
        {
            frame.Add((byte)(mask | payload.Length));
        }
        else
        {
            frame.Add((byte)(mask | 127));
            var length = new byte[8];
            BinaryPrimitives.WriteInt64BigEndian(length, payload.Length);
            frame.AddRange(length);
        }

        // A mask of zeros leaves the payload as it is.
        if (masked)
            frame.AddRange(new byte[4]);
        frame.AddRange(payload);
        return [.. frame];
    }

    /// <summary>The request that opens a WebSocket to the hub.</summary>
    public static string Upgrade(string address, string authorization) =>
        $"GET {address} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    /// <summary>The next broken sequence of frames.</summary>
    public Broken NextFrames()
    {
        var start = random.OneIn(3) ? [] : Frame(Text, Handshake);
        var ping = Frame(Text, [.. """{"type":6}"""u8, HubMessage.EndOfJson]);
        var (kind, frames) = random.Next(13) switch
        {
            0 => ("reserved bits", Frame(Text, "x"u8, reserved: (byte)random.Next(1, 8))),
            1 => ("reserved opcodes", Frame((byte)random.Pick([3, 4, 7, 11, 15]), "x"u8)),
            2 => ("unmasked", Frame(Text, Handshake, masked: false)),
            3 => ("oversized length", Oversized()),
            4 => ("fragmented control frames", Frame(random.OneIn(2) ? Ping : Close, "x"u8, final: false)),
            5 => ("long control frames", Frame(random.OneIn(2) ? Ping : Close, new byte[random.Next(126, 3_000)])),
            6 => ("a continuation of nothing", Frame(0, ping)),
            7 => ("a message within a message", [.. Frame(Text, "{"u8, final: false), .. Frame(Text, "}"u8)]),
            8 => ("a close that is wrong", Frame(Close, random.OneIn(2) ? [3] : [.. random.NextBytes(2), 0xff, 0xfe])),
            9 => ("many pings and empty fragments", [.. Enumerable.Range(0, random.Next(1, 500)).SelectMany(_ => random.OneIn(2) ? Frame(Ping, "p"u8) : ping)]),
            10 => ("invalid UTF-8", Frame(Text, [0xc3, 0x28, 0xff, HubMessage.EndOfJson])),
            // Half a message of SignalR is what the hub's limit holds for; now and then one beyond it.
            11 => ("endless message", Frame(random.OneIn(2) ? Text : Binary, Enumerable.Repeat((byte)' ', random.OneIn(60) ? 9_000_000 : random.Next(100_000)).ToArray())),
            _ => ("damaged bytes", Mutations.Damage(random, [.. start, .. ping, .. ping], ping)),
        };
        return new Broken(kind, [.. start, .. frames]);
    }

    /// <summary>The next broken request for a WebSocket.</summary>
    public Broken NextUpgrade(string address, string authorization)
    {
        var good = Upgrade(address, authorization);
        var (kind, request) = random.Next(11) switch
        {
            0 => ("key", good.Replace("dGhlIHNhbXBsZSBub25jZQ==", random.Pick(OddKeys), StringComparison.Ordinal)),
            1 => ("version", good.Replace("Version: 13", $"Version: {random.Pick(OddVersions)}", StringComparison.Ordinal)),
            2 => ("header left out", Without(good, random.Next(1, 7))),
            3 => ("other upgrade", good.Replace("websocket", random.Pick(["h2c", "WebSocket, h2c", "", "websocket\0", "TLS/1.0"]), StringComparison.Ordinal)),
            4 => ("method", random.Pick(["POST", "PUT", "HEAD", "CONNECT", "get"]) + good[3..]),
            5 => ("old HTTP", good.Replace("HTTP/1.1", "HTTP/1.0", StringComparison.Ordinal)),
            6 => ("extensions", With(good, $"Sec-WebSocket-Extensions: {random.Pick(OddExtensions)}")),
            7 => ("subprotocol", With(good, $"Sec-WebSocket-Protocol: {random.Pick(["", ",,,", "a b", new string('s', 4_000)])}")),
            8 => ("body", With(good, "Content-Length: 5") + "hello"),
            9 => ("connection token", good.Replace(address, $"{address}?id={random.Pick(["", "nobody", "%00", "a&id=b", new string('i', 4_000)])}", StringComparison.Ordinal)),
            _ => ("damaged", Encoding.Latin1.GetString(Mutations.Damage(random, Encoding.Latin1.GetBytes(good), "\r\n\r\n"u8))),
        };
        return new Broken(kind, Encoding.Latin1.GetBytes(request));
    }

    private static string With(string request, string header) => request[..^2] + header + "\r\n\r\n";

    private static string Without(string request, int line)
    {
        var lines = request.Split("\r\n").ToList();
        lines.RemoveAt(line);
        return string.Join("\r\n", lines);
    }

    // Only the header, and a little of what it promises.
    private byte[] Oversized()
    {
        var frame = new byte[14 + random.Next(100)];
        frame[0] = 0x80 | Text;
        frame[1] = 0x80 | 127;
        BinaryPrimitives.WriteInt64BigEndian(frame.AsSpan(2), random.Pick([long.MaxValue, -1L, 1L << 40, 100L << 20, 5L]));
        return frame;
    }
}
