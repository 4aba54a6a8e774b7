using Collab.Crdt;

namespace Collab.Server.Documents;

/// <summary>
/// Builds documents from updates. The server needs one only beside its hot path, which works on bytes: to compact logs, and when
/// somebody asks for content. This is all it asks of an engine, so another can take the place of the present one.
/// </summary>
internal interface IDocumentEngine
{
    /// <summary>
    /// The same document in fewer bytes: deleted content collected, neighbours joined, what waits for others still waiting. Whoever
    /// calls this checks that nothing is missing.
    /// </summary>
    /// <param name="update">The document as one update.</param>
    /// <exception cref="InvalidUpdateException">The engine does not take the update.</exception>
    byte[] Compact(byte[] update);

    /// <summary>Builds a document for reading.</summary>
    /// <inheritdoc cref="Compact"/>
    IDocumentContent Open(byte[] update);
}

/// <summary>A document as its types and values, for one reader at a time.</summary>
internal interface IDocumentContent : IDisposable
{
    /// <summary>The roots by name and what each looks like: an update does not say of what type a root is.</summary>
    IReadOnlyDictionary<string, RootKind> Roots { get; }

    /// <summary>Brings the document to a later state of itself.</summary>
    /// <inheritdoc cref="IDocumentEngine.Compact"/>
    void Advance(byte[] update);

    /// <summary>Changes the document in one transaction. If that fails the content is of no use any more.</summary>
    /// <param name="clientId">The Yjs client id to write under.</param>
    /// <param name="edit">The changes.</param>
    /// <returns>What has changed, as an update; an empty one when nothing has.</returns>
    byte[] Edit(ulong clientId, Action<Doc> edit);

    /// <summary>Reads the document, and changes nothing.</summary>
    T Read<T>(Func<Doc, T> read);

    /// <summary>The text of a root that is a text or XML; empty when the root is.</summary>
    string TextOf(string root);

    /// <summary>All roots as one JSON object.</summary>
    string ToJson();
}
