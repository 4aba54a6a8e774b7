using System.Text;
using Collab.Crdt;

namespace Collab.Server.Gateways;

/// <summary>
/// The messages that the y-websocket protocol and Hocuspocus' have in common: an address, which of y-websocket is nothing and of
/// Hocuspocus the document's name, then what kind of message it is, then the bytes of y-protocols. Numbers are lib0's varUint.
/// </summary>
internal static class GatewayMessage
{
    public const int Sync = 0;
    public const int Awareness = 1;
    public const int Auth = 2;
    public const int QueryAwareness = 3;

    private const int MaxNumber = 10;
    private const int PermissionDenied = 0;

    /// <summary>What stands before the payload of a sync message.</summary>
    /// <param name="address">The address.</param>
    /// <param name="kind">Which message.</param>
    /// <param name="payload">The payload's length, in bytes.</param>
    public static byte[] SyncHead(ReadOnlySpan<byte> address, SyncMessageKind kind, int payload) =>
        [.. address, Sync, (byte)kind, .. Number(payload)];

    /// <summary>What stands before an awareness update.</summary>
    /// <param name="address">The address.</param>
    /// <param name="update">The update's length, in bytes.</param>
    public static byte[] AwarenessHead(ReadOnlySpan<byte> address, int update) => [.. address, Awareness, .. Number(update)];

    /// <summary>Tells a client that he may not do what he wants.</summary>
    /// <param name="address">The address.</param>
    /// <param name="kind">How this protocol says so.</param>
    /// <param name="reason">Why.</param>
    public static byte[] OfDenial(ReadOnlySpan<byte> address, string reason, byte kind = PermissionDenied) =>
        [.. address, Auth, kind, .. Text(reason)];

    /// <summary>A string as UTF-8 behind its length in bytes.</summary>
    public static byte[] Text(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        return [.. Number(utf8.Length), .. utf8];
    }

    /// <summary>Reads a number that <paramref name="bytes"/> begin with, and takes it off them.</summary>
    /// <exception cref="CollabException"><c>invalid_message</c>: there is none.</exception>
    public static int TakeNumber(ref ReadOnlySpan<byte> bytes)
    {
        var value = 0L;
        for (var i = 0; i < bytes.Length && i < MaxNumber; i++)
        {
            value |= (long)(bytes[i] & 0x7f) << (7 * i);
            if (value > int.MaxValue)
                break;
            if (bytes[i] >= 0x80)
                continue;
            bytes = bytes[(i + 1)..];
            return (int)value;
        }

        throw Malformed("a number is missing or too large");
    }

    /// <summary>Reads bytes that stand behind their length, and takes them off <paramref name="bytes"/>.</summary>
    /// <exception cref="CollabException"><c>invalid_message</c>: there are not so many.</exception>
    public static ReadOnlySpan<byte> TakeBytes(ref ReadOnlySpan<byte> bytes)
    {
        var length = TakeNumber(ref bytes);
        if (length > bytes.Length)
            throw Malformed("it ends too early");
        var taken = bytes[..length];
        bytes = bytes[length..];
        return taken;
    }

    /// <summary>A message that no client of the protocol sends.</summary>
    public static CollabException Malformed(string why) => new(Protocol.ErrorCodes.InvalidMessage, $"a message is malformed: {why}");

    private static byte[] Number(int value)
    {
        var length = 1;
        for (var rest = value >> 7; rest > 0; rest >>= 7)
            length++;
        var bytes = new byte[length];
        for (var i = 0; i < length; i++, value >>= 7)
            bytes[i] = (byte)(i < length - 1 ? value | 0x80 : value);
        return bytes;
    }
}
