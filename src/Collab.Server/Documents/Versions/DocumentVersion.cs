using System.Buffers.Binary;
using System.Text.Json;

namespace Collab.Server.Documents.Versions;

/// <summary>A version of a document, as callers see it.</summary>
/// <param name="Id">Names it within the document; later ones are ordinally greater.</param>
/// <param name="Name">What somebody called it; null when nobody has.</param>
/// <param name="CreatedAt">When it was made, in milliseconds since 1970 UTC by the server's clock.</param>
/// <param name="IsAutomatic">Whether it was made by itself.</param>
/// <param name="CreatedBy">Who made it; null for the server.</param>
/// <param name="Position">The document's position that it shows.</param>
/// <param name="Authors">The ids of those who wrote what is new in it, as far as that is known.</param>
internal sealed record DocumentVersion(
    string Id, string? Name, long CreatedAt, bool IsAutomatic, string? CreatedBy, string Position, IReadOnlyList<string> Authors);

/// <summary>
/// An entry of the log of a document's versions: a version, with what the document has got since the version before, or a change of one.
/// </summary>
/// <param name="Version">The version; null when this changes one.</param>
/// <param name="Of">The id of the version that this changes; null when this is one.</param>
/// <param name="Name">Its new name; null with <paramref name="Of"/> takes the version away.</param>
internal sealed record VersionEntry(DocumentVersion? Version, string? Of = null, string? Name = null)
{
    /// <summary>A Yjs update: merged with those of all versions before, it is the document at this version.</summary>
    public ReadOnlyMemory<byte> Update { get; init; }

    /// <summary>How it is stored: the length of the first part, that part as JSON, then the update.</summary>
    public byte[] Encode()
    {
        var head = JsonSerializer.SerializeToUtf8Bytes(this with { Update = default }, Options);
        var bytes = new byte[4 + head.Length + Update.Length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, head.Length);
        head.CopyTo(bytes, 4);
        Update.CopyTo(bytes.AsMemory(4 + head.Length));
        return bytes;
    }

    public static VersionEntry Decode(ReadOnlyMemory<byte> bytes)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.Span);
        var entry = JsonSerializer.Deserialize<VersionEntry>(bytes.Span.Slice(4, length), Options)!;
        return entry with { Update = bytes[(4 + length)..] };
    }

    private static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingDefault,
    };
}
