using System.Buffers.Binary;

namespace Collab.Load.Protocols;

/// <summary>The part of MessagePack that hub messages are made of, without allocating.</summary>
internal ref struct MessagePackReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public int ArrayHeader() => Take() switch
    {
        >= 0x90 and <= 0x9f and var code => code & 0x0f,
        0xdc => (int)Number(2),
        0xdd => (int)Number(4),
        var code => throw Unexpected(code, "an array"),
    };

    public int MapHeader() => Take() switch
    {
        >= 0x80 and <= 0x8f and var code => code & 0x0f,
        0xde => (int)Number(2),
        0xdf => (int)Number(4),
        var code => throw Unexpected(code, "a map"),
    };

    public long Integer() => Take() switch
    {
        <= 0x7f and var code => code,
        0xcc => Number(1),
        0xcd => Number(2),
        0xce => Number(4),
        0xcf => Number(8),
        var code => throw Unexpected(code, "an unsigned integer"),
    };

    /// <summary>A string, in UTF-8, or binary.</summary>
    public ReadOnlySpan<byte> Bytes() => Take() switch
    {
        >= 0xa0 and <= 0xbf and var code => Take(code & 0x1f),
        0xc4 or 0xd9 => Take((int)Number(1)),
        0xc5 or 0xda => Take((int)Number(2)),
        0xc6 or 0xdb => Take((int)Number(4)),
        var code => throw Unexpected(code, "a string or binary"),
    };

    public ReadOnlySpan<byte> BytesOrNil()
    {
        if (_rest[0] != 0xc0)
            return Bytes();
        Take();
        return [];
    }

    public void Skip()
    {
        switch (_rest[0])
        {
            case <= 0x7f or >= 0xe0 or 0xc0 or 0xc2 or 0xc3:
                Take();
                break;
            case >= 0x80 and <= 0x8f or 0xde or 0xdf:
                for (var left = 2 * MapHeader(); left > 0; left--)
                    Skip();
                break;
            case >= 0x90 and <= 0x9f or 0xdc or 0xdd:
                for (var left = ArrayHeader(); left > 0; left--)
                    Skip();
                break;
            case 0xcc or 0xd0:
                Take(2);
                break;
            case 0xcd or 0xd1:
                Take(3);
                break;
            case 0xca or 0xce or 0xd2:
                Take(5);
                break;
            case 0xcb or 0xcf or 0xd3:
                Take(9);
                break;
            default:
                Bytes();
                break;
        }
    }

    private byte Take() => Take(1)[0];

    private ReadOnlySpan<byte> Take(int count)
    {
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    private long Number(int size)
    {
        var bytes = Take(size);
        return size switch
        {
            1 => bytes[0],
            2 => BinaryPrimitives.ReadUInt16BigEndian(bytes),
            4 => BinaryPrimitives.ReadUInt32BigEndian(bytes),
            _ => checked((long)BinaryPrimitives.ReadUInt64BigEndian(bytes)),
        };
    }

    private static InvalidDataException Unexpected(byte code, string wanted) => new($"wanted {wanted}, found the code 0x{code:x2}");
}
