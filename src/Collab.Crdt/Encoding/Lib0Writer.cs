using System.Buffers;

namespace Collab.Crdt;

/// <summary>Writes the lib0 primitives into a pooled buffer. Take the result with <see cref="ToArray"/>, then dispose.</summary>
internal sealed class Lib0Writer(int capacity) : IDisposable
{
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(Math.Max(capacity, 64));

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    public void WriteByte(byte value)
    {
        if (Length == _buffer.Length)
            Grow(1);
        _buffer[Length++] = value;
    }

    /// <summary>An unsigned integer in its shortest form.</summary>
    public void WriteVarUint(ulong value)
    {
        if (_buffer.Length - Length < 10)
            Grow(10);
        var buffer = _buffer;
        var at = Length;
        while (value >= 0x80)
        {
            buffer[at++] = (byte)(value | 0x80);
            value >>= 7;
        }
        buffer[at++] = (byte)value;
        Length = at;
    }

    public void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        if (_buffer.Length - Length < bytes.Length)
            Grow(bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(Length));
        Length += bytes.Length;
    }

    /// <summary>Bytes behind their length.</summary>
    public void WriteVarBytes(ReadOnlySpan<byte> bytes)
    {
        WriteVarUint((ulong)bytes.Length);
        WriteBytes(bytes);
    }

    /// <summary>A signed integer: sign in bit 6 of the first byte. Minus zero is a value of its own, so the sign is told apart.</summary>
    public void WriteVarInt(long value, bool isNegative)
    {
        if (_buffer.Length - Length < 10)
            Grow(10);
        var buffer = _buffer;
        var at = Length;
        var magnitude = (ulong)Math.Abs(value);
        buffer[at++] = (byte)((magnitude > 0x3F ? 0x80u : 0) | (isNegative ? 0x40u : 0) | (uint)(magnitude & 0x3F));
        for (magnitude >>= 6; magnitude > 0; magnitude >>= 7)
            buffer[at++] = (byte)((magnitude > 0x7F ? 0x80u : 0) | (uint)(magnitude & 0x7F));
        Length = at;
    }

    /// <summary>A string as UTF-8 behind its length in bytes. Halves of surrogate pairs become U+FFFD, as in JavaScript.</summary>
    public void WriteVarString(ReadOnlySpan<char> text)
    {
        WriteVarUint((ulong)System.Text.Encoding.UTF8.GetByteCount(text));
        WriteUtf8(text);
    }

    /// <summary>Text as UTF-8 without a length before it. Halves of surrogate pairs become U+FFFD.</summary>
    public void WriteUtf8(ReadOnlySpan<char> text)
    {
        var bytes = System.Text.Encoding.UTF8.GetByteCount(text);
        if (_buffer.Length - Length < bytes)
            Grow(bytes);
        Length += System.Text.Encoding.UTF8.GetBytes(text, _buffer.AsSpan(Length));
    }

    /// <summary>A copy of what was written.</summary>
    public byte[] ToArray() => Written.ToArray();

    public void Clear() => Length = 0;

    public void Dispose()
    {
        var buffer = _buffer;
        _buffer = [];
        Length = 0;
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
    }

    private void Grow(int wanted)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, Length + wanted));
        Written.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
