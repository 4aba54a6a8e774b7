using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace Collab.Crdt;

/// <summary>Reads and writes values in lib0's Any encoding: a tag from 116 to 127, then the value (lib0 <c>writeAny</c>).</summary>
internal static class AnyEncoding
{
    private const byte Bytes = 116, Array = 117, Object = 118, Text = 119, True = 120, False = 121, BigInt = 122, Float64 = 123,
        Float32 = 124, Integer = 125, Null = 126, Undefined = 127;

    /// <summary>The largest integer that is written as one; larger ones are floats (lib0 <c>BITS31</c>).</summary>
    private const double MaxInteger = int.MaxValue;

    /// <summary>JavaScript has one NaN, .NET's has its sign set.</summary>
    private const long JavaScriptNaN = 0x7FF8000000000000;

    /// <summary>Writes a plain value. Depth is that of the caller's own object, which the caller has checked.</summary>
    public static void Write(Lib0Writer writer, in Any value)
    {
        switch (value.Kind)
        {
            case AnyKind.Undefined:
                writer.WriteByte(Undefined);
                break;
            case AnyKind.Null:
                writer.WriteByte(Null);
                break;
            case AnyKind.Boolean:
                writer.WriteByte(value.AsBoolean() ? True : False);
                break;
            case AnyKind.Number:
                WriteNumber(writer, value.AsNumber());
                break;
            case AnyKind.BigInt:
                writer.WriteByte(BigInt);
                Span<byte> integer = stackalloc byte[8];
                BinaryPrimitives.WriteInt64BigEndian(integer, value.AsBigInt());
                writer.WriteBytes(integer);
                break;
            case AnyKind.String:
                writer.WriteByte(Text);
                writer.WriteVarString(value.AsString());
                break;
            case AnyKind.Bytes:
                writer.WriteByte(Bytes);
                writer.WriteVarBytes(value.AsBytes().Span);
                break;
            case AnyKind.Array:
                var list = value.AsArray();
                writer.WriteByte(Array);
                writer.WriteVarUint((ulong)list.Count);
                for (var i = 0; i < list.Count; i++)
                    Write(writer, list[i]);
                break;
            case AnyKind.Object:
                var map = value.AsObject();
                writer.WriteByte(Object);
                writer.WriteVarUint((ulong)map.Count);
                foreach (var (name, member) in map)
                {
                    writer.WriteVarString(name);
                    Write(writer, member);
                }
                break;
            default:
                throw new InvalidOperationException("Shared types and documents cannot stand inside a plain value.");
        }
    }

    private static void WriteNumber(Lib0Writer writer, double number)
    {
        if (Math.Abs(number) <= MaxInteger && Math.Floor(number) == number)
        {
            writer.WriteByte(Integer);
            writer.WriteVarInt((long)number, isNegative: double.IsNegative(number));
        }
        else if ((float)number == number)
        {
            writer.WriteByte(Float32);
            Span<byte> single = stackalloc byte[4];
            BinaryPrimitives.WriteSingleBigEndian(single, (float)number);
            writer.WriteBytes(single);
        }
        else
        {
            writer.WriteByte(Float64);
            Span<byte> bytes = stackalloc byte[8];
            if (double.IsNaN(number))
                BinaryPrimitives.WriteInt64BigEndian(bytes, JavaScriptNaN);
            else
                BinaryPrimitives.WriteDoubleBigEndian(bytes, number);
            writer.WriteBytes(bytes);
        }
    }

    /// <summary>Reads as many values as <paramref name="values"/> has places. Lists of numbers are long, so these come first.</summary>
    public static void ReadAll(ref Lib0Reader reader, Span<Any> values)
    {
        var bytes = reader.Bytes;
        for (var i = 0; i < values.Length; i++)
        {
            var at = reader.Position;
            if (at + 6 <= bytes.Length && bytes[at] == Integer && SmallInteger(bytes.Slice(at + 1, 5), out var number) is > 0 and var length)
            {
                values[i] = number;
                reader.Position = at + 1 + length;
            }
            else
            {
                values[i] = Read(ref reader);
            }
        }
    }

    /// <summary>Steps over values like <see cref="ReadAll"/>.</summary>
    public static void SkipAll(ref Lib0Reader reader, int count, int maxDepth)
    {
        var bytes = reader.Bytes;
        for (var i = 0; i < count; i++)
        {
            var at = reader.Position;
            if (at + 6 <= bytes.Length && bytes[at] == Integer && SmallInteger(bytes.Slice(at + 1, 5), out _) is > 0 and var length)
                reader.Position = at + 1 + length;
            else
                AnyValue.Skip(ref reader, maxDepth);
        }
    }

    /// <summary>Reads a signed integer of at most five bytes; 0 when it has more.</summary>
    /// <returns>How many bytes it has.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int SmallInteger(ReadOnlySpan<byte> bytes, out double number)
    {
        uint first = bytes[0];
        var magnitude = (long)(first & 0x3F);
        var length = 1;
        if (first >= 0x80)
        {
            uint next;
            var shift = 6;
            do
            {
                if (length == 5)
                {
                    number = 0;
                    return 0;
                }
                next = bytes[length++];
                magnitude |= (long)(next & 0x7F) << shift;
                shift += 7;
            }
            while (next >= 0x80);
        }
        number = (first & 0x40) != 0 ? -(double)magnitude : magnitude;
        return length;
    }

    /// <summary>Reads one value. The bytes must have passed <see cref="AnyValue.Skip"/>, which bounds the depth.</summary>
    public static Any Read(ref Lib0Reader reader)
    {
        var start = reader.Position;
        switch (reader.ReadByte())
        {
            case Undefined:
                return Any.Undefined;
            case Null:
                return Any.Null;
            case False:
                return false;
            case True:
                return true;
            case Integer:
                return reader.ReadVarInt();
            case Float32:
                return BinaryPrimitives.ReadSingleBigEndian(reader.ReadBytes(4));
            case Float64:
                return BinaryPrimitives.ReadDoubleBigEndian(reader.ReadBytes(8));
            case BigInt:
                return BinaryPrimitives.ReadInt64BigEndian(reader.ReadBytes(8));
            case Text:
                return Encoding.UTF8.GetString(reader.ReadVarString());
            case Bytes:
                return reader.ReadVarBytes().ToArray();
            case Array:
                var values = new Any[reader.ReadCount(bytesEach: 1)];
                for (var i = 0; i < values.Length; i++)
                    values[i] = Read(ref reader);
                return values;
            case Object:
                var count = reader.ReadCount(bytesEach: 2);
                var members = new OrderedDictionary<string, Any>(Math.Min(count, 64));
                for (var i = 0; i < count; i++)
                {
                    var name = Encoding.UTF8.GetString(reader.ReadVarString());
                    members[name] = Read(ref reader);
                }
                return Any.FromObject(members);
            case var tag:
                throw Faults.UnknownAny(start, tag);
        }
    }
}
