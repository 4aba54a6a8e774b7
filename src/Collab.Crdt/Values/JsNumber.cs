using System.Buffers.Text;
using System.Globalization;

namespace Collab.Crdt;

/// <summary>
/// Writes numbers as JavaScript's <c>Number.prototype.toString</c> does: the fewest digits that give the number back, with an
/// exponent only from 1e21 on and below 1e-6.
/// </summary>
internal static class JsNumber
{
    /// <summary>Writes <paramref name="number"/>; what is no number in JSON becomes <c>null</c>, and minus zero <c>0</c>.</summary>
    public static void Write(Lib0Writer writer, double number)
    {
        if (Math.Abs(number) < 1L << 53 && Math.Floor(number) == number)
            WriteInteger(writer, (long)number);
        else if (double.IsFinite(number))
            WriteFloat(writer, number);
        else
            writer.WriteBytes("null"u8);
    }

    public static void WriteInteger(Lib0Writer writer, long number)
    {
        Span<byte> digits = stackalloc byte[20];
        Utf8Formatter.TryFormat(number, digits, out var length);
        writer.WriteBytes(digits[..length]);
    }

    private static void WriteFloat(Lib0Writer writer, double number)
    {
        // .NET finds the same digits and only lays them out in another way: take them, and where the point stands.
        Span<byte> text = stackalloc byte[32];
        number.TryFormat(text, out var length, "R", CultureInfo.InvariantCulture);
        Span<byte> digits = stackalloc byte[32];
        var point = TakeDigits(text[..length], digits, out var count);
        digits = digits[..count];

        if (number < 0)
            writer.WriteByte((byte)'-');
        if (point is > 21 or <= -6)
        {
            WriteWithExponent(writer, digits, point - 1);
        }
        else if (point <= 0)
        {
            writer.WriteBytes("0."u8);
            WriteZeros(writer, -point);
            writer.WriteBytes(digits);
        }
        else if (count <= point)
        {
            writer.WriteBytes(digits);
            WriteZeros(writer, point - count);
        }
        else
        {
            writer.WriteBytes(digits[..point]);
            writer.WriteByte((byte)'.');
            writer.WriteBytes(digits[point..]);
        }
    }

    private static void WriteWithExponent(Lib0Writer writer, ReadOnlySpan<byte> digits, int exponent)
    {
        writer.WriteByte(digits[0]);
        if (digits.Length > 1)
        {
            writer.WriteByte((byte)'.');
            writer.WriteBytes(digits[1..]);
        }
        writer.WriteBytes(exponent < 0 ? "e-"u8 : "e+"u8);
        WriteInteger(writer, Math.Abs(exponent));
    }

    private static void WriteZeros(Lib0Writer writer, int count)
    {
        for (; count > 0; count--)
            writer.WriteByte((byte)'0');
    }

    /// <summary>
    /// Takes the digits of a number like <c>-12.5</c> or <c>1.5E-07</c>, without zeros around them. Returns where the point stands:
    /// the number is <c>0.digits</c> times ten to that power.
    /// </summary>
    private static int TakeDigits(ReadOnlySpan<byte> text, Span<byte> digits, out int count)
    {
        count = 0;
        var (point, exponent, pointSeen) = (0, 0, false);
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case (byte)'-':
                    break;
                case (byte)'.':
                    pointSeen = true;
                    break;
                case (byte)'E':
                    exponent = int.Parse(text[(i + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
                    i = text.Length;
                    break;
                case (byte)'0' when count == 0:
                    point -= pointSeen ? 1 : 0;
                    break;
                case var digit:
                    digits[count++] = digit;
                    point += pointSeen ? 0 : 1;
                    break;
            }
        }
        while (count > 1 && digits[count - 1] == '0')
            count--;
        return point + exponent;
    }
}
