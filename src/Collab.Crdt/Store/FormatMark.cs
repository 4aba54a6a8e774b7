using System.Text;

namespace Collab.Crdt;

/// <summary>
/// A mark in a text from which on an attribute has a value, until the next mark of the same key; the value null ends it
/// (yjs <c>ContentFormat</c>).
/// </summary>
internal sealed class FormatMark(string key, Any value, byte[]? json = null)
{
    private byte[]? _json = json;

    public string Key { get; } = key;

    public Any Value { get; } = value;

    /// <summary>The value as JSON in UTF-8.</summary>
    public ReadOnlySpan<byte> Json => _json ??= Encoding.UTF8.GetBytes(AnyJson.Stringify(BlockContent.Defined(Value)));
}
