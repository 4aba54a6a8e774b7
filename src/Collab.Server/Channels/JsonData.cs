using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
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
        return HasHalfSurrogates(json) ? Faulty("a string holds half of a surrogate pair") : new JsonData(Compact(json));
    }

    public override string ToString() => Encoding.UTF8.GetString(Utf8.Span);

    private static byte[] Compact(ReadOnlySpan<byte> json)
    {
        var compact = new byte[json.Length];
        var length = 0;
        var inString = false;
        for (var i = 0; i < json.Length; i++)
        {
            var c = json[i];
            if (!inString && c is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r')
                continue;
            compact[length++] = c;
            if (c == '"')
                inString = !inString;
            else if (inString && c == '\\')
                compact[length++] = json[++i];
        }

        return length == compact.Length ? compact : compact[..length];
    }

    // Only an escape can say one: in UTF-8 itself there are none.
    private static bool HasHalfSurrogates(ReadOnlySpan<byte> json)
    {
        if (json.IndexOf("\\u"u8) < 0)
            return false;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth + 4 });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
                    _ = reader.GetString();
            }
        }
        catch (InvalidOperationException)
        {
            return true;
        }

        return false;
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
        using var text = new StringWriter();
        MessagePackSerializer.ConvertToJson(ref reader, text, options);
        var json = Encoding.UTF8.GetBytes(text.ToString());
        try
        {
            // MessagePack has values that JSON has not: numbers that are none, keys that are not strings.
            using var value = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = JsonData.MaxDepth });
            return JsonData.From(json);
        }
        catch (JsonException)
        {
            return JsonData.Faulty("not a JSON value");
        }
    }

    public void Serialize(ref MessagePackWriter writer, JsonData? value, MessagePackSerializerOptions options)
    {
        using var text = new StringReader((value ?? JsonData.Null).ToString());
        MessagePackSerializer.ConvertFromJson(text, ref writer, options);
    }
}
