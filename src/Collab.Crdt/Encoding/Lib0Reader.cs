using System.Runtime.CompilerServices;
using System.Text.Unicode;

namespace Collab.Crdt;

/// <summary>
/// Reads the lib0 primitives that Yjs messages are made of. Every read is checked against the bytes that remain, and a bad
/// read throws <see cref="InvalidUpdateException"/> with the offset at which it began.
/// </summary>
internal ref struct Lib0Reader(ReadOnlySpan<byte> bytes)
{
    /// <summary>The largest integer that lib0 reads exactly (2^53 - 1).</summary>
    public const ulong MaxSafeInteger = (1UL << 53) - 1;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public int Position { get; set; }

    public readonly int Remaining => _bytes.Length - Position;

    public readonly ReadOnlySpan<byte> Bytes => _bytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte ReadByte()
    {
        var position = Position;
        if ((uint)position >= (uint)_bytes.Length)
            throw Faults.Truncated(position, 1, 0);
        Position = position + 1;
        return _bytes[position];
    }

    /// <summary>An unsigned integer of up to 53 bits, seven bits a byte, the lowest first. Padded forms are accepted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong ReadVarUint()
    {
        var position = Position;
        if ((uint)position < (uint)_bytes.Length)
        {
            var first = _bytes[position];
            if (first < 0x80)
            {
                Position = position + 1;
                return first;
            }
        }
        return ReadLongVarUint();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong ReadLongVarUint()
    {
        var start = Position;
        var rest = _bytes[start..];
        ulong value = 0;
        for (var i = 0; i < rest.Length && i < 10; i++)
        {
            var part = (ulong)(rest[i] & 0x7F);
            // The tenth byte can carry no more than padding, so nothing is shifted out unseen.
            if (i == 9 && part != 0)
                throw Faults.NumberTooLarge(start);
            value |= part << (7 * i);
            if (rest[i] >= 0x80)
                continue;
            if (value > MaxSafeInteger)
                throw Faults.NumberTooLarge(start);
            Position = start + i + 1;
            return value;
        }
        throw rest.Length < 10 ? Faults.Truncated(start, rest.Length + 1, rest.Length) : Faults.NumberTooLarge(start);
    }

    /// <summary>Steps over a signed integer: sign in bit 6 of the first byte, then as the unsigned one.</summary>
    public void SkipVarInt()
    {
        var start = Position;
        var first = ReadByte();
        if (first < 0x80)
            return;
        ulong value = (ulong)(first & 0x3F);
        for (var shift = 6; shift < 64; shift += 7)
        {
            var next = ReadByte();
            var part = (ulong)(next & 0x7F);
            if (shift > 50 && part != 0 && (shift >= 53 || part >> (53 - shift) != 0))
                throw Faults.NumberTooLarge(start);
            value |= part << shift;
            if (next < 0x80)
                return;
        }
        throw Faults.NumberTooLarge(start);
    }

    /// <summary>A signed integer as a number, so that minus zero stays one.</summary>
    public double ReadVarInt()
    {
        var start = Position;
        var rest = _bytes[start..];
        if (rest.IsEmpty)
            throw Faults.Truncated(start, 1, 0);
        var first = rest[0];
        var magnitude = (ulong)(first & 0x3F);
        var read = 1;
        if (first >= 0x80)
        {
            // Four more bytes hold all that JavaScript writes; longer and padded forms are checked as they are stepped over.
            for (var shift = 6; ; shift += 7)
            {
                if (read == rest.Length || read == 5)
                    return ReadLongVarInt();
                var next = rest[read++];
                magnitude |= (ulong)(next & 0x7F) << shift;
                if (next < 0x80)
                    break;
            }
        }
        Position = start + read;
        return (first & 0x40) != 0 ? -(double)magnitude : magnitude;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private double ReadLongVarInt()
    {
        var start = Position;
        SkipVarInt();
        var bytes = _bytes[start..Position];
        var magnitude = (ulong)(bytes[0] & 0x3F);
        for (var i = 1; i < bytes.Length && i < 9; i++)
            magnitude |= (ulong)(bytes[i] & 0x7F) << (7 * i - 1);
        return (bytes[0] & 0x40) != 0 ? -(double)magnitude : magnitude;
    }

    /// <summary>A count of things of which each takes at least <paramref name="bytesEach"/> bytes.</summary>
    public int ReadCount(int bytesEach)
    {
        var start = Position;
        var count = ReadVarUint();
        if (count > (ulong)(Remaining / bytesEach))
            throw Faults.CountTooLarge(start, count, Remaining);
        return (int)count;
    }

    /// <summary>A clock or a length of clocks, at most <paramref name="max"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint ReadClock(uint max)
    {
        var start = Position;
        var clock = ReadVarUint();
        if (clock > max)
            throw Faults.ClockTooLarge(start, clock, max);
        return (uint)clock;
    }

    /// <summary>The next <paramref name="count"/> bytes.</summary>
    public ReadOnlySpan<byte> ReadBytes(int count)
    {
        if ((uint)count > (uint)Remaining)
            throw Faults.Truncated(Position, count, Remaining);
        var taken = _bytes.Slice(Position, count);
        Position += count;
        return taken;
    }

    /// <summary>Bytes behind their length.</summary>
    public ReadOnlySpan<byte> ReadVarBytes()
    {
        var start = Position;
        var length = ReadVarUint();
        if (length > (ulong)Remaining)
            throw Faults.LengthTooLarge(start, length, Remaining);
        var taken = _bytes.Slice(Position, (int)length);
        Position += (int)length;
        return taken;
    }

    /// <summary>A string as UTF-8 behind its length in bytes, checked.</summary>
    public ReadOnlySpan<byte> ReadVarString()
    {
        var utf8 = ReadVarBytes();
        if (!Utf8.IsValid(utf8))
            throw Faults.InvalidUtf8(Position - utf8.Length);
        return utf8;
    }

    /// <summary>A string, as its length in UTF-16 units, which is how Yjs counts text.</summary>
    public uint ReadStringLength()
    {
        var utf8 = ReadVarBytes();
        if (utf8.Length == 1 && utf8[0] < 0x80)
            return 1;
        if (!Utf16Length.TryMeasure(utf8, out var length))
            throw Faults.InvalidUtf8(Position - utf8.Length);
        return length;
    }
}
