using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Collab.Crdt;
using Collab.Protocol;
using Collab.Server.Documents;
using Collab.Server.Documents.Handlers;
using Collab.Server.Rooms;

namespace Collab.Host.Moving;

/// <summary>The forms in which documents are written.</summary>
internal static class ExportFormat
{
    public const string Update = "update";
    public const string UpdateV2 = "update-v2";
    public const string Json = "json";
    public const string Text = "text";

    public static IReadOnlyList<string> All { get; } = [Update, UpdateV2, Json, Text];

    /// <summary>What the files end with.</summary>
    public static string ExtensionOf(string format) => format switch
    {
        Json => ".json",
        Text => ".txt",
        _ => DocumentFiles.UpdateExtension,
    };
}

/// <summary>Writes documents of the store.</summary>
/// <param name="log">The store.</param>
/// <param name="format">One of <see cref="ExportFormat"/>.</param>
/// <param name="root">The root whose text is wanted; null for the only one.</param>
internal sealed class DocumentExport(IRoomLog log, string format, string? root)
{
    private const int NamesAtOnce = 1_000;

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the named documents, or all whose ids begin with the prefix.</summary>
    /// <param name="ids">Ids; null for all with the prefix.</param>
    /// <param name="prefix">The prefix; may be empty.</param>
    /// <param name="to">A folder, or <c>-</c> for standard output.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<MovingSummary> RunAsync(IReadOnlyList<string>? ids, string prefix, string to, CancellationToken cancellationToken)
    {
        var summary = new MovingSummary("");
        await using var lines = to == "-" ? new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) : null;
        using (var progress = new Progress(summary, ids?.Count))
        {
            await foreach (var id in ids?.ToAsyncEnumerable() ?? AllAsync(prefix, cancellationToken))
            {
                try
                {
                    var document = (RoomName.IsValid(id) ? await log.ReadDocumentAsync(id, cancellationToken) : null)
                        ?? throw new InvalidDataException("there is no such document");
                    if (lines is not null)
                        await lines.WriteLineAsync(LineOf(id, document));
                    else
                        await WriteAsync(Path.Combine(to, DocumentFiles.PathOf(id, ExportFormat.ExtensionOf(format))), BytesOf(document), cancellationToken);
                    summary.Count("written", document.Update.Length);
                }
                catch (Exception exception) when (exception is InvalidDataException or InvalidUpdateException or PathTooLongException)
                {
                    summary.Refuse(id, exception.Message);
                }
            }
        }

        return summary;
    }

    private async IAsyncEnumerable<string> AllAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? after = null;
        while (true)
        {
            var names = await log.ListAsync(RoomKind.Document, prefix, after, NamesAtOnce, cancellationToken);
            foreach (var name in names)
                yield return name;
            if (names.Count < NamesAtOnce)
                yield break;
            after = names[^1];
        }
    }

    private byte[] BytesOf(DocumentSnapshot document) => format switch
    {
        ExportFormat.Update => document.Update.ToArray(),
        ExportFormat.UpdateV2 => Updates.ConvertV1ToV2(document.Update.Span),
        ExportFormat.Json => Encoding.UTF8.GetBytes(JsonOf(document)),
        _ => Encoding.UTF8.GetBytes(TextOf(document)),
    };

    private string LineOf(string id, DocumentSnapshot document)
    {
        var line = new JsonObject { ["id"] = id, ["position"] = document.Position };
        if (format == ExportFormat.Json)
            line["content"] = JsonNode.Parse(JsonOf(document));
        else if (format == ExportFormat.Text)
            line["text"] = TextOf(document);
        else
            line["update"] = Convert.ToBase64String(BytesOf(document));
        return line.ToJsonString(Plain);
    }

    private static string JsonOf(DocumentSnapshot document)
    {
        using var doc = DocOf(document);
        return Any.FromObject(new OrderedDictionary<string, Any>(doc.RootNames.Select(name => KeyValuePair.Create(name, doc.RootToJson(name))))).ToString();
    }

    private string TextOf(DocumentSnapshot document)
    {
        using var doc = DocOf(document);
        string[] texts = root is not null
            ? [.. doc.RootNames.Where(name => name == root)]
            : [.. doc.RootNames.Where(name => doc.LooksLike(name) is RootKind.Text or RootKind.Xml)];
        if (texts.Length != 1)
            throw new InvalidDataException(root is null ? $"it has {texts.Length} texts: name one with --root" : $"it has no root {root}");
        return doc.RootToJson(texts[0]) is { Kind: AnyKind.String } text ? text.AsString() : throw new InvalidDataException($"its root {texts[0]} is no text");
    }

    private static Doc DocOf(DocumentSnapshot document)
    {
        var doc = new Doc();
        doc.ApplyV1(document.Update.Span);
        return doc;
    }

    /// <summary>Writes a file whole or not at all.</summary>
    private static async Task WriteAsync(string path, byte[] bytes, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var begun = path + ".part";
        await File.WriteAllBytesAsync(begun, bytes, cancellationToken);
        File.Move(begun, path, overwrite: true);
    }
}
