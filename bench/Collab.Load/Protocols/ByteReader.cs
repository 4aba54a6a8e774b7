namespace Collab.Load.Protocols;

/// <summary>Reads lib0's encodings. A message that ends too early throws <see cref="ArgumentOutOfRangeException"/>.</summary>
internal ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    public byte Byte()
    {
        var value = Bytes(1)[0];
        return value;
    }

    public ReadOnlySpan<byte> Bytes(int count)
    {
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    public ulong VarUint()
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = Byte();
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
                return value;
        }
    }

    public ReadOnlySpan<byte> VarBytes() => Bytes(checked((int)VarUint()));
}
