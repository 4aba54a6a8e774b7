using System.Text;
using Collab.Crdt.Tests.Documents;

namespace Collab.Host.Tests.Security.Fuzzing;

/// <summary>Breaks hub messages: as trees before they are written, and as bytes after.</summary>
internal sealed class BrokenMessages(Random random, Samples samples)
{
    /// <summary>The document that others edit meanwhile: everybody may read it.</summary>
    public const string Shared = "shared";

    private static readonly int[] Depths = [17, 61, 65, 600, 5_000, 100_000];
    private static readonly string[] Documents = ["fuzz/0", "fuzz/1", "fuzz/2", "fuzz/3"];
    private static readonly byte[][] NotUtf8 = [[0xc3, 0x28], [0xff], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]];
    private static readonly long[] Lies = [0, 1, 127, 128, 70_000, 9_000_000, int.MaxValue, uint.MaxValue, long.MaxValue];

    private int _calls;

    /// <summary>The next broken message.</summary>
    public Broken Next(bool messagePack)
    {
        var (kind, make) = random.Pick(Kinds);
        return new Broken(kind, make(messagePack));
    }

    private (string Kind, Func<bool, byte[]> Make)[] Kinds => field ??=
    [
        ("truncated", pack => Truncated(Real().Encode(pack), pack)),
        ("damaged bytes", pack => Mutations.Damage(random, Real().Encode(pack), Real().Encode(pack))),
        ("damaged bytes in a whole frame", pack => DamagedInside(pack)),
        ("a length or number that lies", pack => LyingLength(pack)),
        ("an argument of the wrong type", pack => Bent(WrongType).Encode(pack)),
        ("missing arguments", pack => Bent(Missing).Encode(pack)),
        ("surplus arguments", pack => Bent(Surplus).Encode(pack)),
        ("an unknown target", pack => Bent(message => message["target"] = Nonsense()).Encode(pack)),
        ("a field of the wrong type", pack => Bent(WrongField).Encode(pack)),
        ("a huge or odd invocation id", pack => Bent(message => message["invocationId"] = OddId()).Encode(pack)),
        ("deep nesting", pack => Bent(Deep).Encode(pack)),
        ("invalid UTF-8", pack => InvalidUtf8(pack)),
        ("concatenated messages", pack => Concatenated(pack)),
        ("empty messages", pack => pack ? [.. new byte[random.Next(1, 20)]] : [.. Enumerable.Repeat(HubMessage.EndOfJson, random.Next(1, 20))]),
        ("streams that nobody asked for", pack => Stream().Encode(pack)),
        ("answers to nothing, pings, acknowledgements", pack => Answer().Encode(pack)),
        ("an unknown type of message", pack => OddType().Encode(pack)),
        ("random bytes", pack => pack ? HubMessage.Framed(random.NextBytes(random.Next(200))) : [.. random.NextBytes(random.Next(200)), HubMessage.EndOfJson]),
        ("a broken update", pack => Push().Encode(pack)),
        ("a broken update", pack => Push().Encode(pack)),
        ("a broken state vector", pack => Call(random.OneIn(2) ? "JoinDocument" : "SyncDocument", AnyDocument(), samples.BrokenStateVector(random)).Encode(pack)),
        ("broken awareness", pack => Call("PushAwareness", AnyDocument(), samples.BrokenAwareness(random)).Encode(pack)),
        ("a broken name, event, key or position", pack => BrokenText().Encode(pack)),
    ];

    private HubMessage Call(string target, params object?[] arguments) =>
        HubMessage.Call($"c{_calls++}", target, arguments, stream: target == "StreamChannel");

    private string AnyDocument() => random.OneIn(3) ? Shared : random.Pick(Documents);

    private static Dictionary<string, object?> Options(params (string Key, object? Value)[] entries) => entries.ToDictionary(one => one.Key, one => one.Value);

    /// <summary>A message as clients send it.</summary>
    private HubMessage Real() => random.Next(11) switch
    {
        0 => Call("JoinDocument", AnyDocument(), samples.StateVector(random)),
        1 => Call("PushUpdate", random.Pick(Documents), samples.Update(random)),
        2 => Call("SyncDocument", AnyDocument(), samples.StateVector(random)),
        3 => Call("PushAwareness", AnyDocument(), samples.Awareness(random)),
        4 => Call("LeaveDocument", "fuzz/elsewhere"),
        5 => Call("Subscribe", "fuzz/channel", Options(("rewind", 3L), ("presence", Options(("name", "Ada"))))),
        6 => Call("Unsubscribe", "fuzz/channel"),
        7 => Call("Publish", "fuzz/channel", "said", Options(("text", "hello"), ("list", new List<object?> { 1L, 2.5, null, true })), $"k{random.Next(100)}"),
        8 => Call("GetHistory", "fuzz/channel", Options(("limit", 5L))),
        9 => Call("GetMembers", "fuzz/channel"),
        _ => Call("StreamChannel", "fuzz/channel", Options(("rewind", 2L))),
    };

    private HubMessage Bent(Action<HubMessage> bend)
    {
        var message = Real();
        bend(message);
        return message;
    }

    private static List<object?> Arguments(HubMessage message) => (List<object?>)message["arguments"]!;

    private object? Value() => random.Next(12) switch
    {
        0 => null,
        1 => true,
        2 => -1L,
        3 => long.MaxValue,
        4 => 1e300,
        5 => "",
        6 => "not base64 !",
        7 => new string('x', random.Next(2_000)),
        8 => random.NextBytes(random.Next(40)),
        9 => new List<object?> { 1L, "two", null },
        10 => Options(("after", 1L), ("rewind", "many"), ("limit", -1L)),
        _ => samples.BrokenUpdate(random),
    };

    private void WrongType(HubMessage message)
    {
        var arguments = Arguments(message);
        arguments[random.Next(arguments.Count)] = Value();
    }

    private void Missing(HubMessage message)
    {
        var arguments = Arguments(message);
        arguments.RemoveRange(random.Next(arguments.Count), 1);
        if (random.OneIn(3))
            arguments.Clear();
    }

    private void Surplus(HubMessage message) =>
        Arguments(message).AddRange(Enumerable.Range(0, random.OneIn(10) ? 5_000 : random.Next(1, 5)).Select(_ => Value()));

    private void WrongField(HubMessage message) => message[random.Pick(message.Fields).Key] = Value();

    private void Deep(HubMessage message)
    {
        var nested = new HubMessage.Nested(random.Pick(Depths));
        if (random.OneIn(4))
            message[random.Pick(message.Fields).Key] = nested;
        else
            Arguments(message)[^1] = nested;
    }

    private string Nonsense() => random.Next(5) switch
    {
        0 => "",
        1 => "OnConnectedAsync",
        2 => "joindocument\0",
        3 => new string('T', random.Next(1, 20_000)),
        _ => Encoding.Latin1.GetString(random.NextBytes(random.Next(1, 30))),
    };

    private string OddId() => random.Next(4) switch
    {
        0 => new string('9', random.Next(10_000, 200_000)),
        1 => "",
        2 => "c0",
        _ => Nonsense(),
    };

    private byte[] Truncated(byte[] bytes, bool pack)
    {
        var cut = bytes[..random.Next(bytes.Length)];
        // Half of those in MessagePack are whole by their length: then what is inside breaks off.
        return !pack || random.OneIn(2) ? cut : HubMessage.Framed(cut.Length > 2 ? cut[2..] : cut);
    }

    private byte[] DamagedInside(bool pack)
    {
        var (one, other) = (Real().Encode(pack), Real().Encode(pack));
        return pack
            ? HubMessage.Framed(Mutations.Damage(random, one.AsSpan(one.Length > 129 ? 2 : 1), other))
            : [.. Mutations.Damage(random, one.AsSpan(..^1), other), HubMessage.EndOfJson];
    }

    private byte[] LyingLength(bool pack)
    {
        var message = Real().Encode(pack);
        // In JSON there is no length: it is a number that nobody has room for.
        return pack
            ? [.. HubMessage.Length(random.Pick(Lies)), .. message[1..]]
            : [.. Encoding.ASCII.GetBytes($$"""{"type":1{{new string('0', random.Next(1, 400))}},"""), .. message[1..]];
    }

    private byte[] InvalidUtf8(bool pack)
    {
        const string Mark = "mark-mark";
        var message = Real();
        if (random.OneIn(2))
            message["target"] = Mark;
        else
            Arguments(message)[0] = Mark;
        var bytes = message.Encode(pack);
        random.Pick(NotUtf8).CopyTo(bytes, bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Mark)) + random.Next(5));
        return bytes;
    }

    private byte[] Concatenated(bool pack)
    {
        var several = Enumerable.Range(0, random.Next(2, 12)).SelectMany(_ => Real().Encode(pack)).ToArray();
        return random.OneIn(2) ? several : [.. Mutations.Damage(random, several, several), .. pack ? [] : new[] { HubMessage.EndOfJson }];
    }

    private HubMessage Stream()
    {
        var call = Real();
        call["streamIds"] = Enumerable.Range(0, random.Next(1, 50)).Select(i => (object?)$"s{i}").ToList();
        return random.Next(4) switch
        {
            0 => call,
            1 => call with { Type = 4L },
            2 => new(2L, [new("headers", null), new("invocationId", OddId()), new("item", Value())]),
            _ => new(5L, [new("headers", null), new("invocationId", OddId())]),
        };
    }

    private HubMessage Answer() => random.Next(6) switch
    {
        0 => new(3L, [new("headers", null), new("invocationId", OddId()), new("resultKind", (long)random.Next(-1, 6)), new("result", Value())]),
        1 => new(3L, [new("headers", null), new("invocationId", OddId()), new("resultKind", 1L), new("error", Value())]),
        2 => new(6L, [new("more", Value())]),
        3 => new(8L, [new("sequenceId", Value())]),
        4 => new(9L, [new("sequenceId", (long)random.Next(-5, 5))]),
        _ => new(7L, [new("error", Value()), new("allowReconnect", Value())]),
    };

    private HubMessage OddType()
    {
        object? type = random.OneIn(2) ? (long)random.Next(-3, 300) : Value();
        return Real() with { Type = type };
    }

    private HubMessage Push() => Call("PushUpdate", random.OneIn(6) ? Shared : random.Pick(Documents), samples.BrokenUpdate(random));

    private HubMessage BrokenText()
    {
        var text = random.Next(6) switch
        {
            0 => "fuzz/" + new string('n', random.Next(180, 400)),
            1 => "fuzz//",
            2 => "fuzz/\ud83d\ude00",
            3 => $"aa33c67aa2d5-{random.NextInt64()}",
            _ => Nonsense(),
        };
        return random.Next(6) switch
        {
            0 => Call("JoinDocument", text, samples.StateVector(random)),
            1 => Call("Publish", "fuzz/channel", text, text, text),
            2 => Call("Publish", "fuzz/channel", "said", Options((text, text)), text),
            3 => Call("Subscribe", "fuzz/channel", Options(("after", text), ("rewind", random.NextInt64()))),
            4 => Call("GetHistory", "fuzz/channel", Options(("after", text), ("before", text), ("limit", (long)random.Next(-5, 5_000)))),
            _ => Call("StreamChannel", text, Options(("after", text))),
        };
    }
}
