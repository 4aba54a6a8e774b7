using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Collab.PostgresChanges.Decoding;

namespace Collab.PostgresChanges.Messages;

/// <summary>Writes values, which Postgres gives as text, as JSON.</summary>
internal static class ValueWriter
{
    private const int OnStack = 256;

    /// <param name="output">Where to.</param>
    /// <param name="type">The value's type.</param>
    /// <param name="text">The value, as Postgres' output functions have it with the settings of <see cref="Replication.PostgresSource"/>.</param>
    /// <param name="jsonAsText">Whether JSON becomes a string.</param>
    public static void Write(Utf8JsonWriter output, ColumnType type, ReadOnlySpan<byte> text, bool jsonAsText)
    {
        switch (type.Form)
        {
            case ValueForm.Boolean:
                output.WriteBooleanValue(text[0] == 't');
                break;
            case ValueForm.Number when IsFinite(text):
                output.WriteRawValue(text, skipInputValidation: true);
                break;
            case ValueForm.Json when !jsonAsText:
                output.WriteRawValue(text, skipInputValidation: true);
                break;
            case ValueForm.Timestamp:
                WriteTimestamp(output, text);
                break;
            case ValueForm.Bytes when text.StartsWith("\\x"u8):
                WriteBytes(output, text[2..]);
                break;
            case ValueForm.Array:
                ArrayText.Write(output, type, text, jsonAsText);
                break;
            default:
                output.WriteStringValue(text);
                break;
        }
    }

    // NaN and the infinities are no numbers in JSON.
    private static bool IsFinite(ReadOnlySpan<byte> text) => char.IsAsciiDigit((char)text[^1]) && (char.IsAsciiDigit((char)text[0]) || text[0] == '-');

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
