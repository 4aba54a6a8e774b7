using System.Text;
using System.Text.Unicode;

namespace Collab.Crdt;

/// <summary>Lengths and positions in UTF-16 units of text that is held as UTF-8.</summary>
internal static class Utf16Length
{
    /// <summary>The length of <paramref name="utf8"/> in UTF-16 units; false when it is not UTF-8.</summary>
    public static bool TryMeasure(ReadOnlySpan<byte> utf8, out uint length)
    {
        length = (uint)utf8.Length;
        if (Ascii.IsValid(utf8))
            return true;
        if (!Utf8.IsValid(utf8))
            return false;
        length = (uint)Encoding.UTF8.GetCharCount(utf8);
        return true;
    }

    /// <summary>
    /// The byte at which UTF-16 unit <paramref name="units"/> begins. When that is the second half of a surrogate pair,
    /// <paramref name="splitsPair"/> is true and the byte returned is the one after the whole pair.
    /// </summary>
    public static int ByteOffset(ReadOnlySpan<byte> utf8, uint units, out bool splitsPair)
    {
        uint seen = 0;
        var at = 0;
        while (seen < units)
        {
            var lead = utf8[at];
            at += lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
            seen += lead < 0xF0 ? 1u : 2u;
        }
        splitsPair = seen > units;
        return at;
    }
}
