using Collab.Crdt;

namespace Collab.Client;

/// <summary>Settings of a <see cref="SharedDocument"/>.</summary>
public sealed class SharedDocumentOptions
{
    /// <summary>The document to keep in step; by default a new one.</summary>
    public Doc? Doc { get; set; }

    /// <summary>The awareness to use; by default a new one of the document.</summary>
    public Awareness? Awareness { get; set; }

    /// <summary>
    /// The folder that keeps a copy of the document, so that it can be opened and edited offline and survives the program's end; made when
    /// missing. Any number of documents share one. One program at a time has a document open. Null, the default: no copy is kept.
    /// </summary>
    public string? LocalFolder { get; set; }

    /// <summary>Whether to join at once. Default true.</summary>
    public bool Connect { get; set; } = true;
}
