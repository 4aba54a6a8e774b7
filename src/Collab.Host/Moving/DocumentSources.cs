using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Data.Sqlite;

namespace Collab.Host.Moving;

/// <summary>Where documents come from.</summary>
internal interface IDocumentSource
{
    /// <summary>How many there are; null when that is not known before the end.</summary>
    long? Count { get; }

    IAsyncEnumerable<SourceDocument> ReadAsync(CancellationToken cancellationToken);
}

/// <summary>A document of a source.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="Updates">What it consists of; empty when it cannot be read.</param>
/// <param name="Fault">Why it cannot be read.</param>
internal sealed record SourceDocument(string Name, IReadOnlyList<byte[]> Updates, string? Fault = null);

/// <summary>The sources that there are.</summary>
internal static class DocumentSources
{
    private static readonly byte[] SqliteHeader = "SQLite format 3\0"u8.ToArray();

    /// <summary>Opens what the user has named.</summary>
    /// <param name="from">A file, a folder or <c>-</c>.</param>
    /// <param name="id">The id of the only document in it, if it is one update.</param>
    /// <exception cref="IOException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is not of a kind that can be read.</exception>
    public static IDocumentSource Open(string from, string? id) =>
        from == "-" ? id is null ? new LineSource(Console.In) : new SingleSource(id, Console.OpenStandardInput())
        : Directory.Exists(from) ? new FolderSource(from)
        : IsSqlite(from) ? new HocuspocusSource(from)
        : id is not null ? new SingleSource(id, File.OpenRead(from))
        : throw new InvalidDataException($"{from} is neither a folder nor a SQLite database. If it is one Yjs update, say of which document: --id.");

    private static bool IsSqlite(string file)
    {
        using var stream = File.OpenRead(file);
        var header = new byte[SqliteHeader.Length];
        return stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) == header.Length && header.AsSpan().SequenceEqual(SqliteHeader);
    }
}

/// <summary>One update.</summary>
internal sealed class SingleSource(string id, Stream update) : IDocumentSource
{
    public long? Count => 1;

    public async IAsyncEnumerable<SourceDocument> ReadAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var reading = update;
        using var bytes = new MemoryStream();
        await update.CopyToAsync(bytes, cancellationToken);
        yield return new(id, [bytes.ToArray()]);
    }
}

/// <summary>Lines of JSON, each an update of a document: <c>{"id": "…", "update": "base64"}</c>. <c>export</c> writes such lines.</summary>
internal sealed class LineSource(TextReader lines) : IDocumentSource
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true };

    public long? Count => null;

    public async IAsyncEnumerable<SourceDocument> ReadAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var number = 1L; await lines.ReadLineAsync(cancellationToken) is { } line; number++)
        {
            if (!string.IsNullOrWhiteSpace(line))
                yield return Parse(line, number);
        }
    }

    private static SourceDocument Parse(string line, long number)
    {
        try
        {
            var document = JsonSerializer.Deserialize<Line>(line, Json)!;
            return new(document.Id, [document.Update]);
        }
        catch (JsonException)
        {
            return new($"line {number}", [], """it is no JSON object with "id" and "update" in base64""");
        }
    }

    private sealed record Line(string Id, [property: JsonRequired] byte[] Update);
}

/// <summary>The files of a folder, by the names that <see cref="DocumentFiles"/> gives them.</summary>
internal sealed class FolderSource : IDocumentSource
{
    private readonly List<IGrouping<string, (string File, long Part)>> _documents;

    public FolderSource(string folder) => _documents =
    [
        .. Directory.EnumerateFiles(folder, "*" + DocumentFiles.UpdateExtension, SearchOption.AllDirectories)
            .Select(file => (File: file, Is: DocumentFiles.Read(Path.GetRelativePath(folder, file))))
            .GroupBy(file => file.Is.Name, file => (file.File, file.Is.Part), StringComparer.Ordinal)
            .OrderBy(document => document.Key, StringComparer.Ordinal),
    ];

    public long? Count => _documents.Count;

    public async IAsyncEnumerable<SourceDocument> ReadAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var document in _documents)
        {
            var updates = new List<byte[]>();
            foreach (var (file, _) in document.OrderBy(part => part.Part))
                updates.Add(await File.ReadAllBytesAsync(file, cancellationToken));
            yield return new(document.Key, updates);
        }
    }
}

/// <summary>The database of <c>@hocuspocus/extension-sqlite</c>: a table <c>documents</c> with a name and an update (version 1).</summary>
internal sealed class HocuspocusSource : IDocumentSource, IAsyncDisposable
{
    private readonly SqliteConnection _database;

    /// <exception cref="InvalidDataException">It is another database.</exception>
    public HocuspocusSource(string file)
    {
        _database = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        try
        {
            _database.Open();
            using var count = _database.CreateCommand();
            count.CommandText = "SELECT count(*), count(name), count(data) FROM documents";
            Count = (long)count.ExecuteScalar()!;
        }
        catch (SqliteException exception)
        {
            _database.Dispose();
            throw new InvalidDataException($"{file} is not a database of @hocuspocus/extension-sqlite: {exception.Message}.", exception);
        }
    }

    public long? Count { get; }

    public async IAsyncEnumerable<SourceDocument> ReadAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var select = _database.CreateCommand();
        select.CommandText = "SELECT name, data FROM documents ORDER BY name";
        await using var rows = await select.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
            yield return new(rows.GetString(0), [rows.GetFieldValue<byte[]>(1)]);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();
}
