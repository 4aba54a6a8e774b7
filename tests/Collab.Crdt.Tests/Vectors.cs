using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace Collab.Crdt.Tests;

/// <summary>
/// Reads the vector files, whose format is described in <c>vectors/FORMAT.md</c>. The folder is that beside this file, or
/// the one named by the environment variable <c>COLLAB_VECTORS</c>.
/// </summary>
public static class Vectors
{
    public static string Folder { get; } =
        Environment.GetEnvironmentVariable("COLLAB_VECTORS") is { Length: > 0 } folder ? folder : Path.Combine(SourceFolder(), "vectors");

    private static readonly Lazy<IReadOnlyList<JsonElement>> Lines = new(ReadLines);

    /// <summary>Every document case.</summary>
    public static IReadOnlyList<DocumentCase> Documents => field ??= [.. OfKind("doc").Select(line => new DocumentCase(line))];

    /// <summary>Every case of the sync and awareness protocols.</summary>
    public static IReadOnlyList<JsonElement> Protocol => field ??= [.. OfKind("protocol")];

    /// <summary>Every hostile or odd update.</summary>
    public static IReadOnlyList<JsonElement> Malformed => field ??= ReadMalformed();

    /// <summary>Updates that must integrate in full though yjs or yrs stall on them; empty when the folder has no such file.</summary>
    public static IReadOnlyList<JsonElement> MustPassPending => field ??= ReadPending();

    public static byte[] Bytes(this JsonElement element) => element.GetBytesFromBase64();

    /// <summary>The property as bytes, or null when the case does not have it.</summary>
    public static byte[]? OptionalBytes(this JsonElement element, string property) =>
        element.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String ? value.GetBytesFromBase64() : null;

    public static string? OptionalText(this JsonElement element, string property) =>
        element.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>The first 32 hexadecimal digits of SHA-256, as the vectors hold them.</summary>
    public static string Sha(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes))[..32];

    private static IEnumerable<JsonElement> OfKind(string kind) => Lines.Value.Where(line => line.OptionalText("kind") == kind);

    private static List<JsonElement> ReadLines()
    {
        var lines = new List<JsonElement>();
        foreach (var file in Directory.EnumerateFiles(Folder, "*.jsonl.gz").Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(new GZipStream(File.OpenRead(file), CompressionMode.Decompress));
            while (reader.ReadLine() is { } line)
            {
                if (line.Length > 0)
                    lines.Add(Parse(line));
            }
        }
        return lines;
    }

    private static List<JsonElement> ReadMalformed()
    {
        var cases = new List<JsonElement>();
        foreach (var file in Directory.EnumerateFiles(Folder, "*malformed*.json.gz").Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(new GZipStream(File.OpenRead(file), CompressionMode.Decompress));
            cases.AddRange(Parse(reader.ReadToEnd()).EnumerateArray());
        }
        return cases;
    }

    private static List<JsonElement> ReadPending()
    {
        var cases = new List<JsonElement>();
        foreach (var file in Directory.EnumerateFiles(Folder, "*must-pass-pending*.json").Order(StringComparer.Ordinal))
            cases.AddRange(Parse(File.ReadAllText(file)).EnumerateArray());
        return cases;
    }

    private static JsonElement Parse(string json) => JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 100_000 }).RootElement;

    private static string SourceFolder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}

/// <summary>One document case of the vectors, by its id.</summary>
public sealed class DocumentCase(JsonElement json)
{
    public string Id { get; } = json.OptionalText("id") ?? "without id";

    public JsonElement Json { get; } = json;

    /// <summary>Whether its documents drop the content of what is deleted.</summary>
    public bool Gc { get; } = json.GetProperty("gc").GetBoolean();

    /// <summary>What yjs has in the end.</summary>
    public JsonElement Expect => Json.GetProperty("expect");

    /// <summary>The updates in format v1, in the order in which they were made.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Updates { get; } =
        [.. json.GetProperty("updates").EnumerateArray().Select(update => (ReadOnlyMemory<byte>)update.GetProperty("v1").Bytes())];

    /// <summary>The same updates in format v2, which the vectors name by their bytes or by the hash of those.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> UpdatesV2 => field ??= [.. Updates.Select(update => (ReadOnlyMemory<byte>)UpdateV2.FromV1(update.Span))];

    /// <summary>What the algebra makes of them in yjs; null when the case does not say.</summary>
    public JsonElement? Algebra => Json.TryGetProperty("algebra", out var algebra) ? algebra : null;

    /// <summary>The merge of all updates, as the other operations take it.</summary>
    public byte[] Merged => field ??= Crdt.Updates.MergeV1(Updates);

    public override string ToString() => Id;
}
