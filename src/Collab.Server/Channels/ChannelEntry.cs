using System.Buffers.Binary;
using System.Text;
using Collab.Protocol;
using Collab.Server.Rooms;

namespace Collab.Server.Channels;

/// <summary>
/// A message as it is stored: one byte 1, the lengths of the event and of the key in bytes (16 bits each, little-endian; 65,535 for no
/// key), then event, key and data in UTF-8.
/// </summary>
internal static class ChannelEntry
{
    private const byte Version = 1;
    private const int HeaderBytes = 5;
    private const ushort NoKey = ushort.MaxValue;

    public static byte[] Encode(string eventName, string? key, ReadOnlySpan<byte> data)
    {
        var eventBytes = Encoding.UTF8.GetByteCount(eventName);
        var keyBytes = key is null ? 0 : Encoding.UTF8.GetByteCount(key);
        var entry = new byte[HeaderBytes + eventBytes + keyBytes + data.Length];
        entry[0] = Version;
        BinaryPrimitives.WriteUInt16LittleEndian(entry.AsSpan(1), (ushort)eventBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(entry.AsSpan(3), key is null ? NoKey : (ushort)keyBytes);
        Encoding.UTF8.GetBytes(eventName, entry.AsSpan(HeaderBytes));
        Encoding.UTF8.GetBytes(key, entry.AsSpan(HeaderBytes + eventBytes));
        data.CopyTo(entry.AsSpan(HeaderBytes + eventBytes + keyBytes));
        return entry;
    }

    /// <exception cref="RoomLogUnavailableException">The entry is damaged.</exception>
    public static ChannelMessage Decode(string epoch, long offset, ReadOnlyMemory<byte> entry, string? author, DateTimeOffset writtenAt)
    {
        var bytes = entry.Span;
        if (bytes.Length <= HeaderBytes || bytes[0] != Version)
            throw Damaged();
        var eventBytes = BinaryPrimitives.ReadUInt16LittleEndian(bytes[1..]);
        var key = BinaryPrimitives.ReadUInt16LittleEndian(bytes[3..]);
        var keyBytes = key == NoKey ? 0 : key;
        if (bytes.Length <= HeaderBytes + eventBytes + keyBytes)
            throw Damaged();
        var position = new Position(epoch, offset).ToString();
        return new ChannelMessage(
            position,
            key == NoKey ? position : Encoding.UTF8.GetString(bytes.Slice(HeaderBytes + eventBytes, keyBytes)),
            Encoding.UTF8.GetString(bytes.Slice(HeaderBytes, eventBytes)),
            JsonData.FromStored(entry[(HeaderBytes + eventBytes + keyBytes)..]),
            writtenAt.ToUnixTimeMilliseconds(),
            author);
    }

    public static ChannelMessage Decode(string epoch, LogEntry entry) =>
        Decode(epoch, entry.Offset, entry.Data, entry.Author, entry.WrittenAt);

    private static RoomLogUnavailableException Damaged() => new("The store is damaged: an entry of a channel is not a message.");
}
