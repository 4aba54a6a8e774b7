using System.Buffers.Binary;
using Collab.Crdt;
using Collab.Protocol;
using Collab.Server.Events;
using Collab.Server.Rooms;
using Microsoft.Extensions.Options;

namespace Collab.Server.Documents.Versions;

/// <summary>
/// The versions of documents as they are stored: a log of its own for each document. A version holds what the document has got since the
/// version before, with the content that it had then; so it costs what was written, and needs nothing of the document's own log, which drops
/// what was deleted.
/// </summary>
internal sealed class VersionLog(IRoomLog log, EventOutbox outbox, IOptions<VersionOptions> options, TimeProvider clock)
{
    private const int PageEntries = 4096;
    private const long PageBytes = 64 * 1024 * 1024;
    // A log that has so many entries more than versions to keep is written anew.
    private const int Slack = 50;

    /// <summary>Reads the versions of a document, the oldest first.</summary>
    public async Task<VersionHistory> ReadAsync(string documentId, CancellationToken cancellationToken)
    {
        var entries = new List<VersionEntry>();
        LogPage page;
        for (long after = 0; ; after = page.ReachedFrom(after))
        {
            page = await log.ReadAsync(KeyOf(documentId), after, PageEntries, PageBytes, cancellationToken);
            if (page.Snapshot is { } snapshot)
                entries.AddRange(Split(snapshot.Data));
            entries.AddRange(page.Entries.Select(entry => VersionEntry.Decode(entry.Data)));
            if (page.ReachedFrom(after) >= page.Head)
                return new VersionHistory(entries, new Position(page.Epoch, page.Head), page.Entries.Count);
        }
    }

    /// <summary>Adds an entry. It is durable when this returns.</summary>
    public async Task AppendAsync(string documentId, VersionEntry entry, CancellationToken cancellationToken)
    {
        NewLogEntry[] entries = [new(entry.Encode())];
        if (entry.Version is { } version)
            await outbox.AppendAsync(KeyOf(documentId), entries, EventNote.OfVersion(documentId, version), cancellationToken);
        else
            await log.AppendAsync(KeyOf(documentId), entries, cancellationToken);
    }

    /// <summary>Takes away versions that are not to be kept, when there are many or old ones: what they hold goes to the next one.</summary>
    public async Task TrimAsync(string documentId, VersionHistory history, CancellationToken cancellationToken)
    {
        var oldest = clock.GetUtcNow().AddDays(-options.Value.KeepAutomaticDays).ToUnixTimeMilliseconds();
        var automatic = history.Versions.Where(version => version is { IsAutomatic: true, Name: null }).ToArray();
        HashSet<string> gone = [.. automatic.SkipLast(options.Value.KeepAutomatic).Concat(automatic.Where(version => version.CreatedAt < oldest)).Select(version => version.Id)];
        if (gone.Count == 0 && history.LooseEntries < Slack)
            return;
        var kept = history.Without(gone);
        var bytes = new MemoryStream();
        var length = new byte[4];
        foreach (var entry in kept)
        {
            var encoded = entry.Encode();
            BinaryPrimitives.WriteInt32LittleEndian(length, encoded.Length);
            bytes.Write(length);
            bytes.Write(encoded);
        }
        await log.CompactAsync(KeyOf(documentId), history.Through, bytes.ToArray(), cancellationToken);
    }

    public static RoomKey KeyOf(string documentId) => new(RoomKind.Versions, documentId);

    private static IEnumerable<VersionEntry> Split(ReadOnlyMemory<byte> bytes)
    {
        for (var at = 0; at < bytes.Length;)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.Span[at..]);
            yield return VersionEntry.Decode(bytes.Slice(at + 4, length));
            at += 4 + length;
        }
    }
}

/// <summary>All that is stored of a document's versions.</summary>
internal sealed class VersionHistory
{
    // Versions in their order, those taken away among them: later ones need what they hold.
    private readonly List<VersionEntry> _entries = [];
    private readonly HashSet<string> _hidden = new(StringComparer.Ordinal);

    /// <param name="entries">As they stand in the log.</param>
    /// <param name="through">The log's position.</param>
    /// <param name="looseEntries">How many of them stand there by themselves.</param>
    public VersionHistory(IEnumerable<VersionEntry> entries, Position through, int looseEntries)
    {
        (Through, LooseEntries) = (through, looseEntries);
        foreach (var entry in entries)
        {
            if (entry.Version is not null)
            {
                _entries.Add(entry);
                continue;
            }
            var index = _entries.FindLastIndex(known => known.Version!.Id == entry.Of);
            if (index < 0)
                continue;
            if (entry.Name is null)
                _hidden.Add(entry.Of!);
            else
                _entries[index] = _entries[index] with { Version = _entries[index].Version! with { Name = entry.Name } };
        }
    }

    public Position Through { get; }

    public int LooseEntries { get; }

    /// <summary>The versions that there are, the oldest first.</summary>
    public IEnumerable<DocumentVersion> Versions => _entries.Select(entry => entry.Version!).Where(version => !_hidden.Contains(version.Id));

    public DocumentVersion? Last => _entries.Count == 0 ? null : _entries[^1].Version;

    public DocumentVersion? Find(string id) => Versions.FirstOrDefault(version => version.Id == id);

    /// <summary>The updates that make the document at a version, in order; all when null.</summary>
    public List<ReadOnlyMemory<byte>> UpdatesThrough(string? id) => UpdatesBetween(null, id);

    /// <summary>The updates that lead from one version, excluded, to a later one.</summary>
    /// <param name="after">The one; null from the beginning.</param>
    /// <param name="id">The other; null to the end.</param>
    public List<ReadOnlyMemory<byte>> UpdatesBetween(string? after, string? id)
    {
        var updates = new List<ReadOnlyMemory<byte>>();
        var begun = after is null;
        foreach (var entry in _entries)
        {
            if (begun && !entry.Update.IsEmpty)
                updates.Add(entry.Update);
            begun |= entry.Version!.Id == after;
            if (entry.Version.Id == id)
                break;
        }
        return updates;
    }

    /// <summary>The entries without some versions, and without those that were taken away.</summary>
    public List<VersionEntry> Without(HashSet<string> gone)
    {
        var kept = new List<VersionEntry>();
        var carried = new List<ReadOnlyMemory<byte>>();
        foreach (var entry in _entries)
        {
            if (!entry.Update.IsEmpty)
                carried.Add(entry.Update);
            // The last one stays in any case: what comes next is measured against it.
            if (entry != _entries[^1] && (gone.Contains(entry.Version!.Id) || _hidden.Contains(entry.Version.Id)))
                continue;
            kept.Add(entry with { Update = carried.Count switch { 0 => default, 1 => carried[0], _ => Updates.MergeV1(carried) } });
            carried = [];
        }
        foreach (var id in _hidden.Where(id => id == _entries[^1].Version!.Id))
            kept.Add(new VersionEntry(null, id));
        return kept;
    }
}
