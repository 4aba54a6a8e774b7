using System.Globalization;
using System.Security.Cryptography;
using Collab.Crdt;
using Collab.Protocol;
using Collab.Server.Documents.Data;
using Microsoft.Extensions.Options;

namespace Collab.Server.Documents.Versions;

/// <summary>Makes, lists, shows, compares and restores versions of documents.</summary>
internal sealed class DocumentVersions(
    DocumentRooms rooms, DocumentEditor editor, VersionLog log, IOptions<DocumentOptions> options, IOptions<VersionOptions> versions, TimeProvider clock)
{
    public const int MaxNameLength = 200;

    private static readonly DocOptions Compared = ManagedEngine.Options with { Gc = false };
    private static readonly SemaphoreSlim Building = new(DocumentOptions.BuildsAtOnce);

    /// <summary>The versions of a document, the newest first.</summary>
    public async Task<IReadOnlyList<DocumentVersion>> ListAsync(string documentId, CancellationToken cancellationToken) =>
        [.. (await log.ReadAsync(documentId, cancellationToken)).Versions.Reverse()];

    /// <summary>Makes a version of the document as it stands by itself, unless nothing is new or the last one, of whatever node, is young.</summary>
    public async Task CreateIfDueAsync(string documentId, CancellationToken cancellationToken)
    {
        var last = (await log.ReadAsync(documentId, cancellationToken)).Last;
        if (last is null || clock.GetUtcNow().ToUnixTimeMilliseconds() - last.CreatedAt >= versions.Value.AtLeastSeconds * 1000L)
            await CreateAsync(documentId, null, null, isAutomatic: true, cancellationToken);
    }

    /// <summary>Makes a version of the document as it stands.</summary>
    /// <param name="documentId">The document.</param>
    /// <param name="name">Its name, if any.</param>
    /// <param name="userId">Who makes it; null for the server.</param>
    /// <param name="isAutomatic">Whether it is made by itself.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The version; null when it is made by itself and there is nothing new.</returns>
    /// <exception cref="CollabException"><c>not_found</c>: nothing was ever written.</exception>
    public async Task<DocumentVersion?> CreateAsync(
        string documentId, string? name, string? userId, bool isAutomatic, CancellationToken cancellationToken)
    {
        var room = rooms.Visit(documentId);
        try
        {
            var state = DocumentService.CheckExists(await room.GetStateAsync(cancellationToken));
            var history = await log.ReadAsync(documentId, cancellationToken);
            if (isAutomatic && history.Last?.Position == state.Position)
                return null;
            var known = history.UpdatesThrough(null);
            var update = known.Count == 0 ? state.Update : Updates.DiffV1(state.Update, Updates.StateVectorV1(Updates.MergeV1(known)));
            var writers = await room.Writers.OwnersAsync();
            var authors = Updates.InsertersV1(update, Updates.EmptyV1).Select(client => writers.GetValueOrDefault(client, ""))
                .Concat(room.Versions.TakeAuthors()).Where(author => author.Length > 0).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
            var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
            var version = new DocumentVersion(NewId(now), name, now, isAutomatic, userId, state.Position, [.. authors]);
            await log.AppendAsync(documentId, new VersionEntry(version) { Update = update }, cancellationToken);
            await log.TrimAsync(documentId, await log.ReadAsync(documentId, cancellationToken), cancellationToken);
            return version;
        }
        finally
        {
            room.EndVisit();
        }
    }

    /// <summary>Names a version, or takes it away.</summary>
    /// <param name="documentId">The document.</param>
    /// <param name="id">The version.</param>
    /// <param name="name">Its new name; null takes it away.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CollabException"><c>not_found</c>.</exception>
    public async Task<DocumentVersion> ChangeAsync(string documentId, string id, string? name, CancellationToken cancellationToken)
    {
        var version = Existing(await log.ReadAsync(documentId, cancellationToken), id);
        await log.AppendAsync(documentId, new VersionEntry(null, id, name), cancellationToken);
        return version with { Name = name };
    }

    /// <summary>Reads the document as it was at a version.</summary>
    /// <exception cref="CollabException"><c>not_found</c>.</exception>
    public async Task<T> ReadAsync<T>(string documentId, string id, Func<Doc, T> read, CancellationToken cancellationToken)
    {
        var history = await log.ReadAsync(documentId, cancellationToken);
        Existing(history, id);
        return await BuildAsync(
            () =>
            {
                using var doc = new Doc(ManagedEngine.Options);
                Apply(doc, history.UpdatesThrough(id));
                return read(doc);
            },
            cancellationToken);
    }

    /// <summary>The whole document at a version, as one update.</summary>
    public async Task<byte[]> GetUpdateAsync(string documentId, string id, CancellationToken cancellationToken)
    {
        var history = await log.ReadAsync(documentId, cancellationToken);
        Existing(history, id);
        return Updates.CompactV1(history.UpdatesThrough(id));
    }

    /// <summary>Compares two versions.</summary>
    /// <param name="documentId">The document.</param>
    /// <param name="from">The earlier one; null for the empty document.</param>
    /// <param name="to">The later one.</param>
    /// <param name="compare">Reads the difference; the document holds what was deleted in between.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="CollabException"><c>not_found</c>; <c>invalid_argument</c>: they stand the other way round.</exception>
    public async Task<T> CompareAsync<T>(
        string documentId, string? from, string to, Func<VersionComparison, T> compare, CancellationToken cancellationToken)
    {
        var history = await log.ReadAsync(documentId, cancellationToken);
        Existing(history, to);
        if (from is not null)
            Existing(history, from);
        if (from is not null && string.CompareOrdinal(from, to) > 0)
            throw new CollabException(ErrorCodes.InvalidArgument, "from is the earlier version");
        var room = rooms.Visit(documentId);
        try
        {
            var writers = await room.Writers.OwnersAsync();
            return await BuildAsync(
                () =>
                {
                    using var doc = new Doc(Compared);
                    if (from is not null)
                        Apply(doc, history.UpdatesThrough(from));
                    var (before, earlier) = (Snapshot.Of(doc), from is null ? "{}" : ManagedEngine.ToJson(doc));
                    Apply(doc, history.UpdatesBetween(from, to));
                    return compare(new VersionComparison(doc, before, Snapshot.Of(doc), earlier, client => writers.GetValueOrDefault(client)));
                },
                cancellationToken);
        }
        finally
        {
            room.EndVisit();
        }
    }

    /// <summary>Makes the document say again what it said at a version, as a new edit; before that it gets a version as it is.</summary>
    /// <returns>The document's position with the edit.</returns>
    /// <exception cref="CollabException"><c>not_found</c>.</exception>
    public async Task<Position> RestoreAsync(string documentId, string id, string? userId, CancellationToken cancellationToken)
    {
        var history = await log.ReadAsync(documentId, cancellationToken);
        Existing(history, id);
        await CreateAsync(documentId, null, userId, isAutomatic: true, cancellationToken);
        using var version = await BuildAsync(
            () =>
            {
                var doc = new Doc(ManagedEngine.Options);
                Apply(doc, history.UpdatesThrough(id));
                return doc;
            },
            cancellationToken);
        return await editor.EditAsync(
            documentId, userId, DocumentConditions.None, live => DocumentRestoration.Restore(live, version), cancellationToken);
    }

    private void Apply(Doc doc, List<ReadOnlyMemory<byte>> updates)
    {
        if (updates.Sum(update => (long)update.Length) > options.Value.MaxBuiltBytes)
            throw new CollabException(ErrorCodes.TooLarge, $"the version is larger than {options.Value.MaxBuiltBytes} bytes; it can be had as application/octet-stream");
        foreach (var update in updates)
            doc.ApplyV1(update.Span);
    }

    private static async Task<T> BuildAsync<T>(Func<T> build, CancellationToken cancellationToken)
    {
        await Building.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(build, cancellationToken);
        }
        catch (InvalidUpdateException exception)
        {
            throw new CollabException(ErrorCodes.TooLarge, "the version cannot be shown: it is nested too deeply, or has too many parts", exception);
        }
        finally
        {
            Building.Release();
        }
    }

    private static DocumentVersion Existing(VersionHistory history, string id) =>
        history.Find(id) ?? throw new CollabException(ErrorCodes.NotFound, "the document has no such version");

    // In the order of time, also among those of one millisecond on one node.
    private static string NewId(long now) =>
        string.Create(CultureInfo.InvariantCulture, $"{now:x12}-{RandomNumberGenerator.GetHexString(4, lowercase: true)}");
}

/// <summary>Two versions of a document, to be compared.</summary>
/// <param name="Doc">The document at the later one; it holds what was deleted in between.</param>
/// <param name="Before">The earlier one.</param>
/// <param name="After">The later one.</param>
/// <param name="JsonBefore">The JSON view of the earlier one.</param>
/// <param name="AuthorOf">Who writes under a Yjs client id; null when nobody knows.</param>
internal sealed record VersionComparison(Doc Doc, Snapshot Before, Snapshot After, string JsonBefore, Func<ulong, string?> AuthorOf);
