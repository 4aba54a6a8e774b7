using System.Buffers;
using System.Text.Json;
using Collab.PostgresChanges.Decoding;
using Collab.Server.Channels;

namespace Collab.PostgresChanges.Messages;

/// <summary>Writes values, which Postgres gives as text, as JSON.</summary>
internal static class ValueWriter
{
    private const int OnStack = 64;

    /// <summary>Deeper JSON stays text: it stands in a row, and perhaps in an array, within the message.</summary>
    private const int MaxDepth = JsonData.MaxDepth - 10;

    /// <param name="output">Where to.</param>
    /// <param name="type">The value's type.</param>
    /// <param name="text">The value, as Postgres' output functions have it with the settings of <see cref="Replication.PostgresSource"/>.</param>
    public static void Write(Utf8JsonWriter output, ColumnType type, ReadOnlySpan<byte> text)
    {
        switch (type.Form)
        {
            case ValueForm.Boolean:
                output.WriteBooleanValue(text[0] == 't');
                break;
            case ValueForm.Number when IsFinite(text):
                output.WriteRawValue(text, skipInputValidation: true);
                break;
            case ValueForm.Json:
                WriteJson(output, text);
                break;
            case ValueForm.Timestamp:
                WriteTimestamp(output, text);
                break;
            case ValueForm.Bytes when text.StartsWith("\\x"u8):
                WriteBytes(output, text[2..]);
                break;
            case ValueForm.Array:
                ArrayText.Write(output, type, text);
                break;
            default:
                output.WriteStringValue(text);
                break;
        }
    }

    // NaN and the infinities are no numbers in JSON.
    private static bool IsFinite(ReadOnlySpan<byte> text) => char.IsAsciiDigit((char)text[^1]) && (char.IsAsciiDigit((char)text[0]) || text[0] == '-');

    // What a message cannot hold stays text: what is nested too deep, half surrogate pairs, keys named __proto__.
    private static void WriteJson(Utf8JsonWriter output, ReadOnlySpan<byte> text)
    {
        try
        {
            var reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = MaxDepth });
            while (reader.Read())
                continue;
            if (JsonData.From(text) is { Fault: null } data)
            {
                output.WriteRawValue(data.Utf8.Span, skipInputValidation: true);
                return;
            }
        }
        catch (JsonException)
        {
            // Too deep.
        }

        output.WriteStringValue(text);
    }

    // "2026-01-02 03:04:05.678+00" becomes "2026-01-02T03:04:05.678Z". Infinity and years before Christ stay as they are.
    private static void WriteTimestamp(Utf8JsonWriter output, ReadOnlySpan<byte> text)
    {
        var space = text.IndexOf((byte)' ');
        Span<byte> iso = stackalloc byte[OnStack];
        if (space < 0 || text.LastIndexOf((byte)' ') != space || text.Length > iso.Length)
        {
            output.WriteStringValue(text);
            return;
        }

        text.CopyTo(iso);
        iso[space] = (byte)'T';
        var length = text.Length;
        if (text.EndsWith("+00"u8))
        {
            length -= 2;
            iso[length - 1] = (byte)'Z';
        }

        output.WriteStringValue(iso[..length]);
    }

    private static void WriteBytes(Utf8JsonWriter output, ReadOnlySpan<byte> digits)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(digits.Length / 2);
        Convert.FromHexString(digits, bytes, out _, out var length);
        output.WriteBase64StringValue(bytes.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(bytes);
    }
}
