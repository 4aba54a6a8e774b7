using System.Buffers.Text;
using System.Text;

namespace Collab.Server.Channels.Views;

/// <summary>A decimal number of any length, which is compared exactly: Postgres has 131,072 digits before the point.</summary>
/// <param name="IsNegative">Whether it is below zero.</param>
/// <param name="Magnitude">How many digits stand before its point; the first is not 0. Negative when zeros follow the point.</param>
/// <param name="Digits">The digits from the first to the last that are not 0; empty for zero.</param>
internal readonly record struct ExactNumber(bool IsNegative, long Magnitude, string Digits) : IComparable<ExactNumber>
{
    /// <summary>Reads a number as JSON writes it (RFC 8259, 6); null when it is none.</summary>
    public static ExactNumber? Parse(ReadOnlySpan<byte> text)
    {
        var isNegative = text.StartsWith("-"u8);
        if (isNegative)
            text = text[1..];
        var exponent = 0L;
        if (text.IndexOfAny((byte)'e', (byte)'E') is >= 0 and var e)
        {
            var power = text[(e + 1)..];
            if (power.StartsWith("+"u8))
                power = power[1..];
            if (!Utf8Parser.TryParse(power, out int parsed, out var read) || read != power.Length)
                return null;
            exponent = parsed;
            text = text[..e];
        }

        var point = text.IndexOf((byte)'.');
        var whole = point < 0 ? text : text[..point];
        var fraction = point < 0 ? default : text[(point + 1)..];
        if (whole.IsEmpty || (point >= 0 && fraction.IsEmpty) || whole.ContainsAnyExceptInRange((byte)'0', (byte)'9') || fraction.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            return null;

        var digits = Encoding.ASCII.GetString(whole) + Encoding.ASCII.GetString(fraction);
        var first = digits.AsSpan().IndexOfAnyExcept('0');
        return first < 0
            ? new ExactNumber(false, 0, "")
            : new ExactNumber(isNegative, whole.Length - first + exponent, digits[first..].TrimEnd('0'));
    }

    public int CompareTo(ExactNumber other)
    {
        if (Sign != other.Sign)
            return Sign.CompareTo(other.Sign);
        var order = Magnitude.CompareTo(other.Magnitude);
        return Sign * (order != 0 ? order : string.CompareOrdinal(Digits, other.Digits));
    }

    private int Sign => Digits.Length == 0 ? 0 : IsNegative ? -1 : 1;
}
