using System.Text;

namespace Collab.Load.Protocols;

/// <summary>A growing buffer with lib0's encodings, which SignalR's length prefix shares. Reused for every message.</summary>
internal sealed class ByteWriter
{
    private byte[] _bytes = new byte[256];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public ByteWriter Clear()
    {
        Length = 0;
        return this;
    }

    public ByteWriter Byte(int value)
    {
        Grow(1);
        _bytes[Length++] = (byte)value;
        return this;
    }

    public ByteWriter Bytes(ReadOnlySpan<byte> bytes)
    {
        Grow(bytes.Length);
        bytes.CopyTo(_bytes.AsSpan(Length));
        Length += bytes.Length;
        return this;
    }

    /// <summary>7 bits a byte, the least significant first, the high bit set when more follow.</summary>
    public ByteWriter VarUint(ulong value)
    {
        for (; value > 0x7f; value >>= 7)
            Byte((int)(value & 0x7f) | 0x80);
        return Byte((int)value);
    }

    public ByteWriter VarBytes(ReadOnlySpan<byte> bytes) => VarUint((ulong)bytes.Length).Bytes(bytes);

    public ByteWriter VarString(string text) => VarBytes(Encoding.UTF8.GetBytes(text));

    private void Grow(int count)
    {
        while (_bytes.Length - Length < count)
            Array.Resize(ref _bytes, _bytes.Length * 2);
    }
}
