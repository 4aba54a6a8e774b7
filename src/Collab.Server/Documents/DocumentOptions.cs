using Collab.Crdt;

namespace Collab.Server.Documents;

/// <summary>Limits and habits of the document service. Configuration section <c>Collab:Documents</c>.</summary>
public sealed class DocumentOptions
{
    /// <summary>The largest update that is accepted, in bytes. Default 4 MiB.</summary>
    public int MaxUpdateBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>
    /// The largest document, in bytes: as it was when it was last loaded or compacted, and what has come since. Beyond it only deletions
    /// are taken in. Default 100 MiB.
    /// </summary>
    public long MaxDocumentBytes { get; set; } = 100L * 1024 * 1024;

    /// <summary>How many updates a second one connection may push. 0 allows any number. Default 5,000.</summary>
    public int UpdatesPerSecond { get; set; } = 5_000;

    /// <summary>How many of them may come at once after a pause. Default 10,000.</summary>
    public int UpdateBurst { get; set; } = 10_000;

    /// <summary>How many awareness updates a second one connection may push. 0 allows any number. Default 500.</summary>
    public int AwarenessPerSecond { get; set; } = 500;

    /// <summary>How many of them may come at once after a pause. Default 1,000.</summary>
    public int AwarenessBurst { get; set; } = 1_000;

    /// <summary>The largest awareness update that is accepted, in bytes. Default 64 KiB.</summary>
    public int MaxAwarenessBytes { get; set; } = 64 * 1024;

    /// <summary>
    /// The shortest time between two commits of one document, in milliseconds. A first update is committed at once; while updates
    /// keep coming, those of one beat are committed together and sent on as one merged update. 0 to 1000; default 10.
    /// </summary>
    public int BeatMilliseconds { get; set; } = 10;

    /// <summary>How much memory the states of open documents may take in all, in bytes; the least used are dropped. Default 256 MiB.</summary>
    public long ResidentBytes { get; set; } = 256L * 1024 * 1024;

    /// <summary>How long a document that nobody is in stays in memory, in milliseconds. Default 10,000.</summary>
    public int LingerMilliseconds { get; set; } = 10_000;

    /// <summary>A document's log is compacted when so many updates follow its last snapshot. Default 500.</summary>
    public int CompactAfterUpdates { get; set; } = 500;

    /// <summary>
    /// … or when the updates that follow its last snapshot weigh so much, in bytes, and at least half of the snapshot. Default 256 KiB.
    /// </summary>
    public long CompactAfterBytes { get; set; } = 256 * 1024;

    /// <summary>
    /// A log that is due waits for a pause this long in the document's updates before it is compacted, in milliseconds, unless it grows
    /// far too long meanwhile. 0 compacts in the middle of things. Default 1,000.
    /// </summary>
    public int CompactPauseMilliseconds { get; set; } = 1_000;

    /// <summary>
    /// The largest document, as an update in bytes, that is built as types and values in memory: for compaction and for content as JSON
    /// or text. Larger ones are compacted on bytes, which keeps what was deleted, and their content is refused with <c>too_large</c>.
    /// Built, a text takes about 8 times its bytes, many small values up to 45 times. 0 builds none. Default 4 MiB.
    /// </summary>
    public int MaxBuiltBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>
    /// Whether a Yjs client id belongs, within a document, to the user who first wrote or showed his awareness under it, so that nobody
    /// can write as another. Default true.
    /// </summary>
    public bool EnforceClientIds { get; set; } = true;

    /// <summary>After how long a silence an awareness state is taken away, in milliseconds (y-protocols: 30,000).</summary>
    public int AwarenessTimeoutMilliseconds { get; set; } = 30_000;

    /// <summary>
    /// How long a document that was changed must be left alone until handlers are told that it is stored, in milliseconds. Default 2,000.
    /// </summary>
    public int StoredAfterMilliseconds { get; set; } = 2_000;

    /// <summary>… or for how long at most it was changed without a pause, in milliseconds. Default 10,000.</summary>
    public int StoredAtMostMilliseconds { get; set; } = 10_000;

    /// <summary>
    /// How many documents are built at once, for compaction and again for content. It is work for a processor and takes memory: half of
    /// the processors are left to the hot path, and more than four at once would only be a matter of memory.
    /// </summary>
    internal static int BuildsAtOnce { get; } = Math.Clamp(Environment.ProcessorCount / 2, 1, 4);

    internal UpdateLimits UpdateLimits => UpdateLimits.Default with { MaxBytes = MaxUpdateBytes };

    internal string? Fault() =>
        MaxUpdateBytes is < 1024 or > 256 * 1024 * 1024 ? "Collab:Documents:MaxUpdateBytes must be 1024 to 268435456 bytes."
        : MaxDocumentBytes < MaxUpdateBytes ? "Collab:Documents:MaxDocumentBytes must be at least MaxUpdateBytes."
        : UpdatesPerSecond < 0 ? "Collab:Documents:UpdatesPerSecond must be 0 or more."
        : UpdateBurst < 1 ? "Collab:Documents:UpdateBurst must be at least 1."
        : AwarenessPerSecond < 0 ? "Collab:Documents:AwarenessPerSecond must be 0 or more."
        : AwarenessBurst < 1 ? "Collab:Documents:AwarenessBurst must be at least 1."
        : MaxAwarenessBytes is < 256 or > 1024 * 1024 ? "Collab:Documents:MaxAwarenessBytes must be 256 to 1048576 bytes."
        : BeatMilliseconds is < 0 or > 1000 ? "Collab:Documents:BeatMilliseconds must be 0 to 1000 milliseconds."
        : ResidentBytes < 1024 * 1024 ? "Collab:Documents:ResidentBytes must be at least 1048576 bytes."
        : LingerMilliseconds is < 0 or > 3_600_000 ? "Collab:Documents:LingerMilliseconds must be 0 to 3600000 milliseconds."
        : CompactAfterUpdates < 2 ? "Collab:Documents:CompactAfterUpdates must be at least 2."
        : CompactAfterBytes < 1024 ? "Collab:Documents:CompactAfterBytes must be at least 1024 bytes."
        : CompactPauseMilliseconds is < 0 or > 60_000 ? "Collab:Documents:CompactPauseMilliseconds must be 0 to 60000 milliseconds."
        : MaxBuiltBytes is < 0 or > 64 * 1024 * 1024 ? "Collab:Documents:MaxBuiltBytes must be 0 to 67108864 bytes."
        : StoredAfterMilliseconds is < 0 or > 3_600_000 ? "Collab:Documents:StoredAfterMilliseconds must be 0 to 3600000 milliseconds."
        : StoredAtMostMilliseconds < StoredAfterMilliseconds || StoredAtMostMilliseconds > 3_600_000
            ? "Collab:Documents:StoredAtMostMilliseconds must be at least StoredAfterMilliseconds, and at most 3600000 milliseconds."
        : AwarenessTimeoutMilliseconds is < 1000 or > 3_600_000
            ? "Collab:Documents:AwarenessTimeoutMilliseconds must be 1000 to 3600000 milliseconds."
        : null;
}
