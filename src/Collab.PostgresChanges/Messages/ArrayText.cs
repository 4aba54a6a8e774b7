using System.Buffers;
using System.Text.Json;
using Collab.PostgresChanges.Decoding;

namespace Collab.PostgresChanges.Messages;

/// <summary>
/// Writes an array, which Postgres gives as text such as <c>{1,NULL,"a \"b\""}</c> or <c>[0:1]={…}</c> (PostgreSQL documentation, "Array Input and
/// Output Syntax"), as a JSON array. Where its indices begin is not told.
/// </summary>
internal static class ArrayText
{
    public static void Write(Utf8JsonWriter output, ColumnType type, ReadOnlySpan<byte> text)
    {
        var element = ArrayPool<byte>.Shared.Rent(text.Length);
        // Bounds, if any, stand before it.
        for (var i = text.IndexOf((byte)'{'); i < text.Length;)
        {
            switch (text[i])
            {
                case (byte)'{':
                    output.WriteStartArray();
                    i++;
                    break;
                case (byte)'}':
                    output.WriteEndArray();
                    i++;
                    break;
                case var c when c == type.Delimiter:
                    i++;
                    break;
                default:
                    i = WriteElement(output, type, text, i, element);
                    break;
            }
        }

        ArrayPool<byte>.Shared.Return(element);
    }

    /// <returns>Where what follows the element begins.</returns>
    private static int WriteElement(Utf8JsonWriter output, ColumnType type, ReadOnlySpan<byte> text, int at, Span<byte> element)
    {
        var isQuoted = text[at] == '"';
        var length = 0;
        for (at += isQuoted ? 1 : 0; !(isQuoted ? text[at] == '"' : text[at] == type.Delimiter || text[at] == '}'); at++)
        {
            if (text[at] == '\\')
                at++;
            element[length++] = text[at];
        }

        if (!isQuoted && element[..length].SequenceEqual("NULL"u8))
            output.WriteNullValue();
        else
            ValueWriter.Write(output, type.Element!, element[..length]);
        return isQuoted ? at + 1 : at;
    }
}
