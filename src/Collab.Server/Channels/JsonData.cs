using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using MessagePack;
using MessagePack.Formatters;

namespace Collab.Server.Channels;

/// <summary>
/// Any JSON value (RFC 8259) as text in UTF-8, on one line and without needless white space. It is never taken apart on the way from
/// publisher to reader; over MessagePack it is the same value in that format.
/// </summary>
[JsonConverter(typeof(JsonDataJsonConverter))]
internal sealed class JsonData
{
    /// <summary>Deeper values are refused.</summary>
    public const int MaxDepth = 60;

    /// <summary>To look at a value, and what it stands in, far enough to say that it is nested too deep.</summary>
    public const int ReaderDepth = 4096;

    public static readonly JsonData Null = new("null"u8.ToArray());

    private JsonData(ReadOnlyMemory<byte> utf8) => Utf8 = utf8;

    public ReadOnlyMemory<byte> Utf8 { get; }

    /// <summary>Why this is no value that can be published; else null.</summary>
    public string? Fault { get; private init; }

    public bool IsNullOrFalse => Utf8.Span.SequenceEqual("null"u8) || Utf8.Span.SequenceEqual("false"u8);

    /// <summary>What is known to be such a text: from the log.</summary>
    public static JsonData FromStored(ReadOnlyMemory<byte> utf8) => new(utf8);

    public static JsonData Faulty(string fault) => new(default) { Fault = fault };

    public static JsonData From(JsonElement value) => From(JsonMarshal.GetRawUtf8Value(value));

    /// <summary>What a hub protocol makes of a value whose type is not known.</summary>
    public static JsonData From(object? value) => value switch
    {
        null => Null,
        JsonData data => data,
        JsonElement element => From(element),
        _ => Faulty("not a JSON value"),
    };

    /// <summary>Takes the text of a value that a JSON reader has accepted.</summary>
    public static JsonData From(ReadOnlySpan<byte> json)
    {
        if (!System.Text.Unicode.Utf8.IsValid(json))
            return Faulty("the text is not UTF-8");
        if (FaultOfStrings(json) is { } fault)
            return Faulty(fault);
        return Compact(json) is { } compact ? new JsonData(compact) : Faulty($"nested deeper than {MaxDepth}");
    }

    public override string ToString() => Encoding.UTF8.GetString(Utf8.Span);

    // Null when the value is nested too deep.
    private static byte[]? Compact(ReadOnlySpan<byte> json)
    {
        var compact = new byte[json.Length];
        var (length, depth) = (0, 0);
        var inString = false;
        for (var i = 0; i < json.Length; i++)
        {
            var c = json[i];
            if (!inString)
            {
                if (c is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r')
                    continue;
                if (c is (byte)'{' or (byte)'[' && ++depth > MaxDepth)
                    return null;
                if (c is (byte)'}' or (byte)']')
                    depth--;
            }

            compact[length++] = c;
            if (c == '"')
                inString = !inString;
            else if (inString && c == '\\')
                compact[length++] = json[++i];
        }

        return length == compact.Length ? compact : compact[..length];
    }

    // Half surrogates only an escape can say: in UTF-8 itself there are none. And readers in JavaScript end on keys named __proto__.
    private static string? FaultOfStrings(ReadOnlySpan<byte> json)
    {
        if (json.IndexOf("\\u"u8) < 0 && json.IndexOf("__proto__"u8) < 0)
            return null;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = ReaderDepth });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.PropertyName && reader.ValueTextEquals("__proto__"u8))
                    return "a key is named __proto__";
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
                    _ = reader.GetString();
            }
        }
        catch (InvalidOperationException)
        {
            return "a string holds half of a surrogate pair";
        }

        return null;
    }
}

/// <summary>Takes a value over as it stands, and writes it as it stands.</summary>
internal sealed class JsonDataJsonConverter : JsonConverter<JsonData>
{
    public override bool HandleNull => true;

    public override JsonData Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var value = JsonDocument.ParseValue(ref reader);
        return JsonData.From(value.RootElement);
    }

    public override void Write(Utf8JsonWriter writer, JsonData value, JsonSerializerOptions options) =>
        writer.WriteRawValue(value.Utf8.Span, skipInputValidation: true);
}

/// <summary>The same value in MessagePack; bytes become base64, as in the JSON protocol.</summary>
internal sealed class JsonDataMessagePackFormatter : IMessagePackFormatter<JsonData?>
{
    public JsonData Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options)
    {
        var text = new ArrayBufferWriter<byte>();
        var start = reader.CreatePeekReader();
        reader.Skip();
        try
        {
            using (var writer = new Utf8JsonWriter(text, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
                Write(ref start, writer, 0);
            return JsonData.From(text.WrittenSpan);
        }
        catch (Exception exception) when (exception is MessagePackSerializationException or ArgumentException or InvalidOperationException)
        {
            // MessagePack has values that JSON has not, such as keys that are not strings.
            return JsonData.Faulty("not a JSON value");
        }
    }

    public void Serialize(ref MessagePackWriter writer, JsonData? value, MessagePackSerializerOptions options)
    {
        var reader = new Utf8JsonReader((value ?? JsonData.Null).Utf8.Span, new JsonReaderOptions { MaxDepth = JsonData.ReaderDepth });
        reader.Read();
        Write(ref reader, ref writer);
    }

    private static void Write(ref Utf8JsonReader reader, ref MessagePackWriter writer)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartArray:
                writer.WriteArrayHeader(Count(reader));
                while (reader.Read() && reader.TokenType is not JsonTokenType.EndArray)
                    Write(ref reader, ref writer);
                break;
            case JsonTokenType.StartObject:
                writer.WriteMapHeader(Count(reader));
                while (reader.Read() && reader.TokenType is not JsonTokenType.EndObject)
                {
                    writer.Write(reader.GetString());
                    reader.Read();
                    Write(ref reader, ref writer);
                }

                break;
            case JsonTokenType.String when !reader.ValueIsEscaped:
                writer.WriteString(reader.ValueSpan);
                break;
            case JsonTokenType.String:
                writer.Write(reader.GetString());
                break;
            case JsonTokenType.Number when reader.TryGetInt64(out var number):
                writer.Write(number);
                break;
            case JsonTokenType.Number when reader.TryGetUInt64(out var number):
                writer.Write(number);
                break;
            // MessagePack has no numbers with more digits.
            case JsonTokenType.Number:
                writer.Write(reader.GetDouble());
                break;
            case JsonTokenType.Null:
                writer.WriteNil();
                break;
            default:
                writer.Write(reader.TokenType is JsonTokenType.True);
                break;
        }
    }

    // How many values an array or properties an object has must be said first. The reader is a copy.
    private static int Count(Utf8JsonReader reader)
    {
        var count = 0;
        for (var isObject = reader.TokenType is JsonTokenType.StartObject; reader.Read() && reader.TokenType is not (JsonTokenType.EndArray or JsonTokenType.EndObject); count++)
        {
            if (isObject)
                reader.Read();
            reader.Skip();
        }

        return count;
    }

    private static void Write(ref MessagePackReader reader, Utf8JsonWriter writer, int depth)
    {
        if (depth > JsonData.MaxDepth)
            throw new MessagePackSerializationException("Nested too deep.");
        switch (reader.NextMessagePackType)
        {
            case MessagePackType.Nil:
                reader.ReadNil();
                writer.WriteNullValue();
                break;
            case MessagePackType.Boolean:
                writer.WriteBooleanValue(reader.ReadBoolean());
                break;
            // Negative fixint, and int8 to int64.
            case MessagePackType.Integer when reader.NextCode is >= 0xe0 or (>= 0xd0 and <= 0xd3):
                writer.WriteNumberValue(reader.ReadInt64());
                break;
            case MessagePackType.Integer:
                writer.WriteNumberValue(reader.ReadUInt64());
                break;
            case MessagePackType.Float when reader.ReadDouble() is var number:
                // As JSON.stringify has it.
                if (double.IsFinite(number))
                    writer.WriteNumberValue(number);
                else
                    writer.WriteNullValue();
                break;
            case MessagePackType.String:
                writer.WriteStringValue(reader.ReadStringSequence()!.Value.ToArray());
                break;
            case MessagePackType.Binary:
                writer.WriteBase64StringValue(reader.ReadBytes()!.Value.ToArray());
                break;
            case MessagePackType.Array:
                writer.WriteStartArray();
                for (var left = reader.ReadArrayHeader(); left > 0; left--)
                    Write(ref reader, writer, depth + 1);
                writer.WriteEndArray();
                break;
            case MessagePackType.Map:
                writer.WriteStartObject();
                for (var left = reader.ReadMapHeader(); left > 0; left--)
                {
                    writer.WritePropertyName(reader.ReadStringSequence()!.Value.ToArray());
                    Write(ref reader, writer, depth + 1);
                }

                writer.WriteEndObject();
                break;
            default:
                // The extension that there is for time; others are refused.
                writer.WriteStringValue(reader.ReadDateTime());
                break;
        }
    }
}
