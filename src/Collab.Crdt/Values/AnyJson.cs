using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Collab.Crdt;

/// <summary>
/// Values as JSON, with the very characters that JavaScript's <c>JSON.stringify</c> writes, and JSON as values, as its
/// <c>JSON.parse</c> reads it.
/// </summary>
internal static class AnyJson
{
    /// <summary>What a string must not hold as it is. Halves of surrogate pairs are looked for apart.</summary>
    private static readonly SearchValues<char> Escaped =
        SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(code => (char)code), '"', '\\']);

    /// <summary>
    /// The value as JSON. As in JavaScript, members that are undefined are left out, undefined in a list becomes <c>null</c>,
    /// NaN and the infinities become <c>null</c>, and bytes are written as <c>{"0":1,"1":2}</c>. Unlike there, a 64-bit integer
    /// is written as its digits (JavaScript throws), undefined itself as <c>null</c>, and names that are integers keep their place.
    /// </summary>
    /// <exception cref="InvalidOperationException">A shared type or a document stands in it.</exception>
    public static string Stringify(in Any value)
    {
        using var writer = new Lib0Writer(256);
        Write(writer, value);
        return Encoding.UTF8.GetString(writer.Written);
    }

    /// <summary>Writes the value as <see cref="Stringify"/> has it, in UTF-8.</summary>
    /// <exception cref="InvalidOperationException">A shared type or a document stands in it.</exception>
    public static void Write(Lib0Writer writer, in Any value)
    {
        switch (value.Kind)
        {
            case AnyKind.Undefined or AnyKind.Null:
                writer.WriteBytes("null"u8);
                break;
            case AnyKind.Boolean:
                writer.WriteBytes(value.AsBoolean() ? "true"u8 : "false"u8);
                break;
            case AnyKind.Number:
                JsNumber.Write(writer, value.AsNumber());
                break;
            case AnyKind.BigInt:
                JsNumber.WriteInteger(writer, value.AsBigInt());
                break;
            case AnyKind.String:
                WriteString(writer, value.AsString());
                break;
            case AnyKind.Bytes:
                WriteBytes(writer, value.AsBytes().Span);
                break;
            case AnyKind.Array:
                // What was read is nested a bounded number of times; what the application built may be nested at will.
                RuntimeHelpers.EnsureSufficientExecutionStack();
                WriteArray(writer, value.AsArray());
                break;
            case AnyKind.Object:
                RuntimeHelpers.EnsureSufficientExecutionStack();
                WriteObject(writer, value.AsObject());
                break;
            default:
                throw new InvalidOperationException("Shared types and documents have no JSON of their own.");
        }
    }

    /// <summary>
    /// The value that a JSON text says, as <c>JSON.parse</c> has it: numbers are floats, and of equal names the last one counts,
    /// at the place of the first. Nested at most <see cref="JsonParser.MaxDepth"/> deep.
    /// </summary>
    /// <param name="utf8">The text.</param>
    /// <param name="offset">Where it stands in the update, for the fault.</param>
    /// <exception cref="InvalidUpdateException">The text is not JSON, or is nested too deeply.</exception>
    public static Any Parse(ReadOnlySpan<byte> utf8, int offset)
    {
        if (utf8.SequenceEqual("true"u8))
            return true;
        if (utf8.SequenceEqual("false"u8))
            return false;
        if (utf8.SequenceEqual("null"u8))
            return Any.Null;
        return JsonParser.Parse(utf8, offset);
    }

    private static void WriteArray(Lib0Writer writer, IReadOnlyList<Any> list)
    {
        writer.WriteByte((byte)'[');
        for (var i = 0; i < list.Count; i++)
        {
            if (i > 0)
                writer.WriteByte((byte)',');
            Write(writer, list[i]);
        }
        writer.WriteByte((byte)']');
    }

    private static void WriteObject(Lib0Writer writer, IReadOnlyDictionary<string, Any> members)
    {
        writer.WriteByte((byte)'{');
        var isFirst = true;
        foreach (var (name, member) in members)
        {
            if (member.IsUndefined)
                continue;
            if (!isFirst)
                writer.WriteByte((byte)',');
            isFirst = false;
            WriteString(writer, name);
            writer.WriteByte((byte)':');
            Write(writer, member);
        }
        writer.WriteByte((byte)'}');
    }

    private static void WriteBytes(Lib0Writer writer, ReadOnlySpan<byte> bytes)
    {
        writer.WriteByte((byte)'{');
        for (var i = 0; i < bytes.Length; i++)
        {
            writer.WriteBytes(i > 0 ? ",\""u8 : "\""u8);
            JsNumber.WriteInteger(writer, i);
            writer.WriteBytes("\":"u8);
            JsNumber.WriteInteger(writer, bytes[i]);
        }
        writer.WriteByte((byte)'}');
    }

    private static void WriteString(Lib0Writer writer, ReadOnlySpan<char> text)
    {
        writer.WriteByte((byte)'"');
        while (text.IndexOfAny(Escaped) is var at and >= 0)
        {
            WritePlain(writer, text[..at]);
            WriteEscape(writer, text[at]);
            text = text[(at + 1)..];
        }
        WritePlain(writer, text);
        writer.WriteByte((byte)'"');
    }

    private static void WritePlain(Lib0Writer writer, ReadOnlySpan<char> text)
    {
        var from = 0;
        var at = text.IndexOfAnyInRange('\uD800', '\uDFFF');
        for (; at >= 0 && at < text.Length; at++)
        {
            if (!char.IsSurrogate(text[at]))
                continue;
            if (at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]))
            {
                at++;
                continue;
            }
            writer.WriteUtf8(text[from..at]);
            WriteEscape(writer, text[at]);
            from = at + 1;
        }
        writer.WriteUtf8(text[from..]);
    }

    private static void WriteEscape(Lib0Writer writer, char character)
    {
        writer.WriteByte((byte)'\\');
        var sign = character switch
        {
            '"' or '\\' => character,
            '\b' => 'b',
            '\f' => 'f',
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            _ => 'u',
        };
        writer.WriteByte((byte)sign);
        if (sign != 'u')
            return;
        Span<byte> hex = stackalloc byte[4];
        ((int)character).TryFormat(hex, out _, "x4", CultureInfo.InvariantCulture);
        writer.WriteBytes(hex);
    }
}
