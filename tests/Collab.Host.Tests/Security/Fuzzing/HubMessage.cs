using System.Buffers;
using System.Text.Json;
using MessagePack;

namespace Collab.Host.Tests.Security.Fuzzing;

/// <summary>
/// A message of SignalR's hub protocol as a tree that can be bent before it is written: its type, and its fields in the order of the
/// MessagePack form. Values are null, booleans, numbers, strings, bytes, lists, maps and <see cref="Nested"/>.
/// </summary>
internal sealed record HubMessage(object? Type, List<KeyValuePair<string, object?>> Fields)
{
    /// <summary>A list in a list in a list: only a stack overflow ends who reads it by recursion alone.</summary>
    public sealed record Nested(int Depth);

    public const byte EndOfJson = 0x1e;

    /// <summary>A call; as a stream when asked so.</summary>
    public static HubMessage Call(string? id, string target, object?[] arguments, bool stream = false) => new(stream ? 4L : 1L,
    [
        new("headers", null), new("invocationId", id), new("target", target), new("arguments", arguments.ToList()), new("streamIds", new List<object?>()),
    ]);

    public object? this[string field]
    {
        get => Fields.Find(one => one.Key == field).Value;
        set => Fields[Fields.FindIndex(one => one.Key == field)] = new(field, value);
    }

    /// <summary>Its bytes, with what tells where it ends.</summary>
    public byte[] Encode(bool messagePack) => messagePack ? Framed(ToMessagePack()) : [.. ToJson(), EndOfJson];

    /// <summary>Puts the length before a message in MessagePack.</summary>
    public static byte[] Framed(byte[] message) => [.. Length(message.Length), .. message];

    /// <summary>A length as the hub protocol writes it.</summary>
    public static byte[] Length(long length)
    {
        var bytes = new List<byte>();
        for (; length >= 0x80; length >>= 7)
            bytes.Add((byte)(length | 0x80));
        bytes.Add((byte)length);
        return [.. bytes];
    }

    /// <summary>Whether these bytes end where a message in MessagePack ends, as far as their lengths say.</summary>
    public static bool EndsWhole(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var (length, at) = (0L, 0);
            do
            {
                // A length of more than five bytes is refused at once.
                if (at == 5)
                    return true;
                if (at == bytes.Length)
                    return false;
                length |= (long)(bytes[at] & 0x7f) << (7 * at);
            }
            while ((bytes[at++] & 0x80) != 0);
            if (length > int.MaxValue)
                return true;
            if (length > bytes.Length - at)
                return false;
            bytes = bytes[(at + (int)length)..];
        }

        return true;
    }

    private byte[] ToMessagePack()
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(Fields.Count + 1);
        Write(ref writer, Type);
        foreach (var (name, value) in Fields)
        {
            if (value is null && name == "headers")
                writer.WriteMapHeader(0);
            else
                Write(ref writer, value);
        }

        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    private byte[] ToJson()
    {
        var output = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true });
        writer.WriteStartObject();
        writer.WritePropertyName("type");
        Write(writer, Type);
        foreach (var (name, value) in Fields.Where(field => field.Value is not null || field.Key is not ("headers" or "invocationId")))
        {
            writer.WritePropertyName(name);
            Write(writer, value);
        }

        writer.WriteEndObject();
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    private static void Write(ref MessagePackWriter writer, object? value)
    {
        switch (value)
        {
            case null:
                writer.WriteNil();
                break;
            case bool truth:
                writer.Write(truth);
                break;
            case long number:
                writer.Write(number);
                break;
            case double number:
                writer.Write(number);
                break;
            case string text:
                writer.Write(text);
                break;
            case byte[] bytes:
                writer.Write(bytes);
                break;
            case Nested nested:
                writer.WriteRaw(Enumerable.Repeat((byte)0x91, nested.Depth).Append((byte)0xc0).ToArray());
                break;
            case List<object?> list:
                writer.WriteArrayHeader(list.Count);
                foreach (var item in list)
                    Write(ref writer, item);
                break;
            case Dictionary<string, object?> map:
                writer.WriteMapHeader(map.Count);
                foreach (var (key, item) in map)
                {
                    writer.Write(key);
                    Write(ref writer, item);
                }

                break;
            default:
                throw new ArgumentException($"There is no {value.GetType()} in a message.", nameof(value));
        }
    }

    private static void Write(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case null:
                writer.WriteNullValue();
                break;
            case bool truth:
                writer.WriteBooleanValue(truth);
                break;
            case long number:
                writer.WriteNumberValue(number);
                break;
            case double number:
                writer.WriteNumberValue(number);
                break;
            case string text:
                writer.WriteStringValue(text);
                break;
            case byte[] bytes:
                writer.WriteBase64StringValue(bytes);
                break;
            case Nested nested:
                writer.WriteRawValue(new string('[', nested.Depth) + new string(']', nested.Depth), skipInputValidation: true);
                break;
            case List<object?> list:
                writer.WriteStartArray();
                foreach (var item in list)
                    Write(writer, item);
                writer.WriteEndArray();
                break;
            case Dictionary<string, object?> map:
                writer.WriteStartObject();
                foreach (var (key, item) in map)
                {
                    writer.WritePropertyName(key);
                    Write(writer, item);
                }

                writer.WriteEndObject();
                break;
            default:
                throw new ArgumentException($"There is no {value.GetType()} in a message.", nameof(value));
        }
    }
}
