namespace Collab.Testing.Readers;

/// <summary>
/// Counts updates in a stream of bytes by a mark in their text, without taking the messages apart. The updates travel as base64, so
/// the mark is one that is as recognisable there, at whatever alignment.
/// </summary>
internal sealed class MarkCounter
{
    /// <summary>What each update's text begins with: wherever it falls among base64's groups of three, it holds just two whole ones.</summary>
    public const string Mark = "~~~~~~~~";

    private static ReadOnlySpan<byte> Encoded => "fn5+fn5+"u8;

    private byte[] _buffer = [];
    private int _carried;

    public int Count { get; private set; }

    /// <summary>Looks at the next bytes.</summary>
    /// <returns>True when they held a mark.</returns>
    public bool Add(ReadOnlySpan<byte> bytes)
    {
        var length = _carried + bytes.Length;
        if (_buffer.Length < length)
            Array.Resize(ref _buffer, length * 2);
        bytes.CopyTo(_buffer.AsSpan(_carried));

        var before = Count;
        var rest = _buffer.AsSpan(0, length);
        for (int found; (found = rest.IndexOf(Encoded)) >= 0; Count++)
            rest = rest[(found + Encoded.Length)..];

        // A mark may be cut by the end of these bytes.
        _carried = Math.Min(rest.Length, Encoded.Length - 1);
        rest[^_carried..].CopyTo(_buffer);
        return Count > before;
    }
}
