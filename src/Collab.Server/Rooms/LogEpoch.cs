using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Collab.Server.Rooms;

/// <summary>
/// Names one life of a room's log. The name is derived, not stored: so a store can tell the epoch of a room that has no entry yet
/// without writing anything.
/// </summary>
public static class LogEpoch
{
    /// <summary>How many hexadecimal digits an epoch of these has.</summary>
    public const int Length = 12;

    /// <summary>The epoch of a room's log.</summary>
    /// <param name="store">Random bytes which the store keeps for as long as it keeps its logs; another store has others.</param>
    /// <param name="room">The room.</param>
    /// <param name="generation">Which life of the room's log: 1 for the first, one more for each deletion.</param>
    /// <returns><see cref="Length"/> lower-case hexadecimal digits.</returns>
    public static string Derive(ReadOnlySpan<byte> store, RoomKey room, long generation)
    {
        var input = new byte[store.Length + 12 + Encoding.UTF8.GetByteCount(room.Name)];
        store.CopyTo(input);
        var rest = input.AsSpan(store.Length);
        BinaryPrimitives.WriteInt64BigEndian(rest, generation);
        BinaryPrimitives.WriteInt32BigEndian(rest[8..], (int)room.Kind);
        Encoding.UTF8.GetBytes(room.Name, rest[12..]);
        return Convert.ToHexStringLower(SHA256.HashData(input).AsSpan(0, Length / 2));
    }
}
