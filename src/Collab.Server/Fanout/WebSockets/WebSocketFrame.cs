using System.Buffers.Binary;

namespace Collab.Server.Fanout.WebSockets;

/// <summary>The header of a frame that a server sends: unmasked, and one frame is one message (RFC 6455, section 5.2).</summary>
internal static class WebSocketFrame
{
    /// <summary>The longest header: the first byte, the length's first, and eight for a length that does not fit there.</summary>
    public const int MaxHeader = 10;

    private const byte Text = 0x81;
    private const byte Binary = 0x82;
    private const byte OpcodeBits = 0x0f;
    private const byte CloseOpcode = 0x08;
    private const int MaxShortLength = 125;
    private const byte Length16 = 126;
    private const byte Length64 = 127;

    /// <summary>Whether this is the frame after which there is none.</summary>
    public static bool IsClose(ReadOnlySpan<byte> frame) => frame.Length > 0 && (frame[0] & OpcodeBits) == CloseOpcode;

    /// <summary>Writes the header of what stands behind the first <see cref="MaxHeader"/> bytes right before it.</summary>
    /// <param name="buffer">Room for the header, and the payload.</param>
    /// <param name="length">The payload's bytes.</param>
    /// <param name="binary">Whether the payload is not text.</param>
    /// <param name="more">How many bytes of the payload are elsewhere.</param>
    /// <returns>The frame, a part of <paramref name="buffer"/>.</returns>
    public static Memory<byte> Enclose(Memory<byte> buffer, int length, bool binary, int more = 0)
    {
        var whole = (long)length + more;
        var header = whole <= MaxShortLength ? 2 : whole <= ushort.MaxValue ? 4 : MaxHeader;
        var frame = buffer.Slice(MaxHeader - header, header + length);
        var span = frame.Span;
        span[0] = binary ? Binary : Text;
        switch (header)
        {
            case 2:
                span[1] = (byte)whole;
                break;
            case 4:
                span[1] = Length16;
                BinaryPrimitives.WriteUInt16BigEndian(span[2..], (ushort)whole);
                break;
            default:
                span[1] = Length64;
                BinaryPrimitives.WriteUInt64BigEndian(span[2..], (ulong)whole);
                break;
        }

        return frame;
    }
}
