using System.Diagnostics.CodeAnalysis;

namespace Collab.Crdt;

/// <summary>How a document is to be.</summary>
public sealed record DocOptions
{
    /// <summary>The client id of this replica, up to 53 bits. Default: a random one of 32 bits. Two replicas must never share one.</summary>
    public ulong? ClientId { get; init; }

    /// <summary>The name under which providers and parents know the document. Default: a random UUID.</summary>
    [SuppressMessage("Naming", "CA1720", Justification = "The name that yjs has for it.")]
    public string? Guid { get; init; }

    /// <summary>The collection that a provider keeps the document in.</summary>
    public string? CollectionId { get; init; }

    /// <summary>Whether the content of what is deleted is dropped. Snapshots need it kept. Default: true.</summary>
    public bool Gc { get; init; } = true;

    /// <summary>
    /// Whether marks of texts that have become needless are deleted after remote changes, as yjs does. A replica that nobody edits and
    /// that does not tell others of it should not: what it holds needless, another may need. Default: true.
    /// </summary>
    public bool CleanFormats { get; init; } = true;

    /// <summary>For a subdocument: whether it is loaded on every replica as soon as it comes. Default: false.</summary>
    public bool AutoLoad { get; init; }

    /// <summary>For a subdocument: whether a provider should load it. Default: true.</summary>
    public bool ShouldLoad { get; init; } = true;

    /// <summary>For a subdocument: whatever the application wants to tell of it.</summary>
    public Any Meta { get; init; } = Any.Null;

    /// <summary>
    /// How many blocks may be passed, in one update, in search of the places of concurrent insertions. In earnest it is hardly more than
    /// one for each struct; by malice it is their number squared, which takes hours in every engine. An update that needs more throws
    /// <see cref="InvalidUpdateException"/> and is applied in part: throw the document away. Default: no limit.
    /// </summary>
    public long MaxSteps { get; init; } = long.MaxValue;

    /// <summary>What updates may be like. Default: <see cref="UpdateLimits.Default"/>.</summary>
    public UpdateLimits Limits { get; init; } = UpdateLimits.Default;
}
