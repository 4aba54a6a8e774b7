using System.Globalization;
using Collab.Server.Rooms;

namespace Collab.Storage.Sqlite;

/// <summary>
/// The key of an entry's row: the room's number and the entry's offset in one integer, so that a room's entries lie side by side in a
/// table ordered by row id. (A table without row ids would put every entry of more than a quarter page onto a page of its own.)
/// </summary>
internal static class EntryKey
{
    private const int OffsetBits = 36;

    /// <summary>The last offset that a room can have: 68 thousand million.</summary>
    public const long LastOffset = (1L << OffsetBits) - 1;

    /// <summary>The last number that a room can have: 134 million.</summary>
    public const long LastRoom = (1L << (63 - OffsetBits)) - 1;

    /// <summary>The row of an entry; offset 0 is before a room's first row, <see cref="LastOffset"/> not before its last.</summary>
    /// <exception cref="RoomLogUnavailableException">There are more rooms or entries than keys.</exception>
    public static long Of(long room, long offset)
    {
        if (room > LastRoom || offset > LastOffset)
        {
            throw new RoomLogUnavailableException(string.Create(
                CultureInfo.InvariantCulture, $"The store is full: it takes {LastRoom} rooms and {LastOffset} entries in each."));
        }

        return (room << OffsetBits) | offset;
    }

    /// <summary>The offset in a key.</summary>
    public static long OffsetOf(long key) => key & LastOffset;
}
